"""How long it takes to validate and plan large estates, against the in-memory Incus: 1,000 and 10,000 machines.

Prints seconds for loading and checking infra.yml, for the plan on an empty server, and for the plan on a server that
already has everything, and how each grows from the small to the large estate (10 is linear).
"""

import asyncio
import gc
import os
import tempfile
import time
from pathlib import Path

from freehold.config.load import load
from freehold.engine.planner import Planner
from freehold.engine.run import run
from freehold.model import Infra
from freehold.providers.incus.images import ServerImages
from freehold.providers.incus.provider import IncusProvider
from freehold.system.incus.fake import FakeIncus

MACHINES_PER_DOMAIN = 100


def infra_yml(domains: int) -> str:
    """An estate of so many domains; half of the machines declare their address."""
    lines = ["freehold: 1", "name: large", "domains:"]
    for number in range(domains):
        lines += [f"  d{number:03}:", f"    subnet_id: {number}", "    machines:"]
        for machine in range(MACHINES_PER_DOMAIN):
            lines += [f"      m{machine:03}:", "        cpu: 2", "        memory: 1GiB"]
            if machine % 2:
                lines.append(f"        ip: 10.100.{number}.{machine + 10}")
    return "\n".join(lines) + "\n"


def measure(domains: int, rounds: int = 3) -> dict[str, float]:
    """The best of a few rounds, in seconds."""
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "infra.yml").write_text(infra_yml(domains), encoding="utf-8")
        for _ in range(rounds):
            started = time.perf_counter()
            infra = load(Path(folder)).infra
            assert infra is not None
            best["validate"] = min(best.get("validate", 1e9), time.perf_counter() - started)
            for name, seconds in asyncio.run(_plans(infra)).items():
                best[name] = min(best.get(name, 1e9), seconds)
    return best


async def _plans(infra: Infra) -> dict[str, float]:
    incus = FakeIncus(images=("debian/13",))
    planner = Planner(infra=infra, provider=IncusProvider(incus, ServerImages(incus)))
    started = time.perf_counter()
    plan = (await planner.look()).plan
    empty = time.perf_counter() - started
    result = await run(planner, plan, lambda event: None, asyncio.Event())
    assert result.exit_code == 0
    started = time.perf_counter()
    again = (await planner.look()).plan
    full = time.perf_counter() - started
    assert again.is_empty
    return {"plan, empty server": empty, "plan, all there": full}


def main() -> None:
    """Measure both sizes and print them side by side."""
    gc.set_threshold(100_000, 50, 100)  # as the command does
    print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    small, large = measure(10), measure(100)
    print(f"{'':<20} {'1,000':>8} {'10,000':>8} machines")
    for name, seconds in large.items():
        print(f"{name:<20} {small[name]:>7.2f}s {seconds:>7.2f}s   x {seconds / small[name]:.1f}")
    total = large["validate"] + max(large["plan, empty server"], large["plan, all there"])
    print(f"validate + plan of 10,000 machines in 100 domains: {total:.2f} s")


if __name__ == "__main__":
    main()
