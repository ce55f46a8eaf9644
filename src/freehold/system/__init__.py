"""The only code that touches processes, sockets and other systems: protocols, real ones and fakes."""
