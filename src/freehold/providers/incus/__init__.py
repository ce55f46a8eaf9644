"""Incus: projects, bridges, profiles, volumes and instances."""
