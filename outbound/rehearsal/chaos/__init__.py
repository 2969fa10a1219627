"""Chaos: the product rings a peer that counts, while everything is killed; then three accounts are compared.

It drives the product as an operator and an init system would, through processes, REST and SIP, and sees no other part.
"""
