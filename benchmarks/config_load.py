"""How long loading infra.yml takes: prints seconds for 1,000 and 10,000 machines, and what one machine costs.

Run with the project's Python: `.venv/bin/python benchmarks/config_load.py`.
"""

import sys
import tempfile
import time
from pathlib import Path

from freehold.config.load import load

MACHINES_PER_DOMAIN = 100
RUNS = 3


def estate(domains: int) -> str:
    """An infra.yml with that many domains of 100 machines, keys as in the documentation's example."""
    lines = ["freehold: 1", "name: large", "network: {base: 10.0.0.0/8}", "domains:"]
    for number in range(domains):
        lines += [
            f"  domain-{number}:",
            f"    subnet_id: {number}",
            "    profiles:",
            "      big: {config: {limits.processes: 500}}",
            "    machines:",
        ]
        for machine in range(MACHINES_PER_DOMAIN):
            lines += [
                f"      machine-{machine}:",
                f"        ip: 10.{number >> 8}.{number & 255}.{machine + 10}",
                "        profiles: [big]",
                "        cpu: 2",
                "        memory: 2GiB",
                "        volumes:",
                "          data: {path: /srv/data, size: 10GiB}",
                "        config: {security.nesting: true}",
            ]
    return "\n".join(lines) + "\n"


def seconds(path: Path) -> float:
    """The best of several loads."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        loaded = load(path)
        best = min(best, time.perf_counter() - start)
        if loaded.infra is None:
            raise SystemExit(f"the estate is not valid: {loaded.diagnostics[:3]}")
    return best


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        for domains in (10, 100):
            path = Path(folder) / "infra.yml"
            path.write_text(estate(domains))
            machines = domains * MACHINES_PER_DOMAIN
            took = seconds(path)
            print(
                f"{machines:6} machines: {took:.3f} s, {took / machines * 1e6:.0f} µs per machine"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
