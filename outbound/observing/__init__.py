"""Watches a running host: metrics, traces, health, the event loop. It looks on and changes nothing of what it sees."""
