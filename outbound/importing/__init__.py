"""Imports of contacts: good rows go in, bad ones come back with row number, field and reason, in flat memory."""
