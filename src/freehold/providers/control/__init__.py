"""What control machines need on the host: the agent through which they see its firewall."""
