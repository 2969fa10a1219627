"""Runs one call from start to result; returns results and never stores them."""
