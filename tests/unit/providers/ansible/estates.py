"""Estates for the tests of the Ansible tree: a folder with infra.yml, and runs of plan and apply over its files alone."""

import asyncio
from pathlib import Path

from freehold.config.load import load
from freehold.engine.planner import Picture, Planner
from freehold.engine.run import RunResult, run
from freehold.model import Infra
from freehold.planning.plan import Plan
from freehold.providers.ansible.files import TreeProvider

INFRA = """\
freehold: 1
name: maison
defaults: {provision: {vars: {greeting: hello}}}
domains:
  web:
    subnet_id: 1
    trust: trusted
    provision: {vars: {api_key: hunter2}}
    machines:
      app: {ip: 10.100.1.10, provision: {apt: [git], roles: [base_system]}}
      cache: {}
"""
WEB = "group_vars/web.yml"
OLD_DOMAIN = "  old: {subnet_id: 2, machines: {box: {}}}\n"


def estate(folder: Path, text: str = INFRA) -> Infra:
    """Write infra.yml and read it."""
    (folder / "infra.yml").write_text(text)
    loaded = load(folder)
    assert loaded.infra is not None, loaded.diagnostics
    return loaded.infra


def planner(folder: Path, infra: Infra, *, prune: bool = False, always: bool = True) -> Planner:
    return Planner(infra=infra, provider=TreeProvider(folder, always=always), prune=prune)


def picture(folder: Path, infra: Infra, *, prune: bool = False, always: bool = True) -> Picture:
    return asyncio.run(planner(folder, infra, prune=prune, always=always).look())


def planned(folder: Path, infra: Infra, *, prune: bool = False, always: bool = True) -> Plan:
    return picture(folder, infra, prune=prune, always=always).plan


def synced(folder: Path, infra: Infra, *, prune: bool = False) -> RunResult:
    """Plan and carry out, as `freehold sync` does."""

    async def work() -> RunResult:
        at_work = planner(folder, infra, prune=prune)
        plan = (await at_work.look()).plan
        assert plan.can_apply, plan.diagnostics
        return await run(at_work, plan, lambda event: None, asyncio.Event())

    return asyncio.run(work())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the folder, by name."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def codes(plan: Plan) -> list[str]:
    return [diagnostic.code for diagnostic in plan.diagnostics]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
