"""Synthesis engines, one file each; loaded by name through speech.engines."""
