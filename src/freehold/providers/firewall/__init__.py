"""The firewall provider: one nftables table that keeps the estate's domains apart on this host."""
