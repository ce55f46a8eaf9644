"""The machine between the domains: its rules, and the host's routing to it. One resource, `router:host`."""
