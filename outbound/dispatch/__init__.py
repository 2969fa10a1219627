"""Decides which due attempts begin now, on which trunk and line, and commits the intent to send; it sends nothing."""
