"""Services as containers, by Docker Compose, on hosts and on machines."""
