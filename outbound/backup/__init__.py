"""Copies of the database, and what a host does when it finds itself with an older one; it moves no attempt forward."""
