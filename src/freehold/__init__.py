"""Freehold: one file describes a self-hosted estate, `freehold apply` makes it real."""

__version__ = "0.1.0"
