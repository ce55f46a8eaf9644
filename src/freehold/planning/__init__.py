"""Desired against observed: changes, their order, the plan. Pure values; no I/O."""
