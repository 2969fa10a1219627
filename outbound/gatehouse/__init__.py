"""What stands around the gate in the host: facts and rules put before it, its answers kept, supposed questions asked.

It decides nothing; ``campaigns/gate`` does.
"""
