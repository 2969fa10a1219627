"""Do-not-call lists: read in flat memory, and loaded so that nobody is free before the new list is whole."""
