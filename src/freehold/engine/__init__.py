"""Looks at the real systems, walks plans, keeps the lock and the journal."""
