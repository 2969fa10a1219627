"""Erasing what is known of a person, wherever it is kept; the chain of receipts stays whole, the opt-out honoured."""
