"""Settles attempts: what calls tell and how they end, what follows from it, and what is known when a line is gone."""
