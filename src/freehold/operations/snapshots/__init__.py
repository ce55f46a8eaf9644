"""Snapshots as people ask for them: which machines are meant, what would be done, and the planner that `engine` runs with."""
