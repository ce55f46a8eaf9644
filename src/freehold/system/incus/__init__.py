"""Talking to an Incus server: the protocol, the real client and an in-memory fake."""
