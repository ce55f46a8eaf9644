"""The proof that services behind a VPN reach nothing beside it: with real packets, with the tunnel up, cut, and at its restart."""
