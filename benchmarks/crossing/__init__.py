"""The pieces of benchmarks/firewall.py: networks to send through, the senders, and the rules to compare with."""
