"""A test of alerts, from Prometheus to whoever is told."""
