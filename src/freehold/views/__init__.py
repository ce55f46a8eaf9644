"""Renderers, for people and as JSON. They write to the streams they are given."""
