"""Rehearsal: a cast of simulated customers, real SIP user agents, for a campaign before it meets people."""
