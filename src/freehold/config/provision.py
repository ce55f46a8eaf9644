"""`provision` as it is written: what goes inside machines. A part of `document`; `checks` look at what one value cannot say."""

from typing import Any

from pydantic import Field

from freehold.config.inside_formats import (
    Account,
    AptPackage,
    EstatePath,
    FileMode,
    GitAddress,
    GitVersion,
    InsidePath,
    PipRequirement,
    RoleName,
)
from freehold.config.part import Part


class GitCheckout(Part):
    """A Git repository checked out in the machine."""

    repo: GitAddress = Field(
        description="Its URL, without a password.", examples=["https://git.example.org/app.git"]
    )
    dest: InsidePath = Field(description="Where to.", examples=["/opt/app"])
    version: GitVersion | None = Field(
        None,
        description="Branch, tag or commit. Default: the repository's own branch.",
        examples=["v1.2"],
    )


class ScriptRun(Part):
    """A script of the estate's folder, run as root in the machine."""

    src: EstatePath = Field(
        description="The file, relative to infra.yml.", examples=["files/setup.sh"]
    )
    creates: InsidePath | None = Field(
        None,
        description="A file that exists when the script need not run.",
        examples=["/opt/app/.done"],
    )


class PlacedFile(Part):
    """A file of the estate's folder and where it goes in the machine."""

    src: EstatePath = Field(description="The file, relative to infra.yml.", examples=["files/motd"])
    dest: InsidePath = Field(
        description="Where to: the file's own path, not its folder's.", examples=["/etc/motd"]
    )
    owner: Account | None = Field(
        None, description="User it belongs to. Default: `root`.", examples=["www-data"]
    )
    group: Account | None = Field(
        None, description="Group it belongs to. Default: `root`.", examples=["www-data"]
    )
    mode: FileMode | None = Field(
        None, description='Permissions, octal, in quotes. Default: `"0644"`.', examples=["0644"]
    )


class Provision(Part):
    """What goes inside machines, by Ansible. In `defaults` it is for every machine, in a domain for its machines.

    Lists add up: `defaults`, then the domain, then the machine. Of variables with one name the nearest counts.
    A Jinja template (`{{ … }}`) may stand in `vars` only; elsewhere text is taken as it is written.
    """

    apt: list[AptPackage] = Field(
        default_factory=list,
        description="Debian packages: NAME, NAME=VERSION or NAME/RELEASE.",
        examples=[["git"]],
    )
    pip: list[PipRequirement] = Field(
        default_factory=list,
        description="Python packages, in one virtual environment of their own, `/opt/provision/venv`.",
        examples=[["httpie"]],
    )
    git: list[GitCheckout] = Field(default_factory=list, description="Repositories to check out.")
    script: list[ScriptRun] = Field(default_factory=list, description="Scripts to run.")
    files: list[PlacedFile] = Field(default_factory=list, description="Files to copy.")
    templates: list[PlacedFile] = Field(
        default_factory=list, description="Jinja templates to fill in and copy."
    )
    roles: list[RoleName] = Field(
        default_factory=list,
        description="Ansible roles: those of `roles/` beside infra.yml, else those that come with Freehold.",
        examples=[["base_system"]],
    )
    vars: dict[str, Any] = Field(
        default_factory=dict,
        description="Ansible variables; any values, and `!secret NAME` for a secret.",
        examples=[{"ollama_server_models": ["phi3:mini"]}],
    )
