"""Step types, one file each, named as in the document; the registry finds them by their file names."""
