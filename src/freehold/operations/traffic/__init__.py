"""The proof by packets: what passes between machines, against what infra.yml says. Called by `cli.verify`."""

from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport, Verdict
from freehold.operations.traffic.verify import verify_traffic

__all__ = ["Check", "Kind", "Result", "TrafficReport", "Verdict", "verify_traffic"]
