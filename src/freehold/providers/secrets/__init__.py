"""Secrets as resources: `secret:host/db_password`."""
