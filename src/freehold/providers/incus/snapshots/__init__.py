"""Snapshots of machines with their volumes: read, made all or none, brought back, deleted. Driven by `operations.snapshots`."""
