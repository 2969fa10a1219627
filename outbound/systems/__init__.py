"""Asking the business's own systems on behalf of a call: signed, within a deadline, and never acting twice."""
