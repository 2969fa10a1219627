"""REST version 1: reads requests, asks the store and the planner, answers; decides nothing itself."""
