"""Hosts of an estate as the lab plays them: system containers with the declared addresses, entered by SSH."""
