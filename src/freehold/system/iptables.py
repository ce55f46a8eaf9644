"""Rules of iptables, in both of its forms: of nf_tables (`iptables-nft`) and the old one (`iptables-legacy`).

A computer may have both at once, each with an IPv4 and an IPv6 side; a packet meets all of them. Only the table
`filter` is read. Called by `system.docker_user` and by the doctor.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.system.processes import require

PATIENCE = 10.0  # seconds for one of its programs

# The old iptables makes its table when it is asked for it: so it is asked only where the kernel says that it is there
# (/proc/net/ip_tables_names). `iptables-save` alone may be either form and is taken when its version says nf_tables.
_READ = """
for family in ip ip6; do
    nft=${family}tables-nft legacy=${family}tables-legacy plain=${family}tables
    if ! command -v $nft-save >/dev/null; then
        case "$($plain-save --version 2>/dev/null)" in *nf_tables*) nft=$plain ;; *) nft= legacy=$plain ;; esac
    fi
    if [ -n "$nft" ]; then echo "#form $family nft $nft"; $nft-save -t filter || exit; fi
    grep -qsx filter /proc/net/${family}_tables_names || continue
    echo "#form $family legacy $legacy"
    if command -v $legacy-save >/dev/null; then $legacy-save -t filter || exit; else echo "#unreadable"; fi
done
"""


@dataclass(frozen=True, slots=True)
class FilterTable:
    """One table `filter`. `program` is what its commands begin with: `iptables-nft`, `ip6tables-legacy`, `iptables`.

    `policies`: of the built-in chains. `rules`: of every chain, each as iptables writes it, without `-A CHAIN`.
    `readable` is False for old rules that are loaded while `iptables-legacy` is not installed.
    """

    family: str
    legacy: bool
    program: str
    policies: dict[str, str]
    rules: dict[str, tuple[str, ...]]
    readable: bool = True


def read_tables(prefix: Sequence[str] = ()) -> list[FilterTable]:
    """The tables where `prefix` leads (a command line that enters a namespace); none where iptables is not installed.

    Raises BackendError, for one when the user may not ask the kernel.
    """
    text = require([*prefix, "sh", "-c", _READ], timeout=PATIENCE)
    return [
        _table(part) for part in re.split(r"(?m)^(?=#form )", text) if part.startswith("#form ")
    ]


def _table(text: str) -> FilterTable:
    """One section of what `_READ` prints; the format is that of iptables-save(8)."""
    _, family, form, program = text.partition("\n")[0].split()
    policies = dict(re.findall(r"(?m)^:(\S+) (ACCEPT|DROP)\b", text))
    rules: dict[str, list[str]] = {name: [] for name in re.findall(r"(?m)^:(\S+) ", text)}
    for chain, rule in re.findall(r"(?m)^-A (\S+) (.*)$", text):
        rules[chain].append(rule)
    return FilterTable(
        family=family,
        legacy=form == "legacy",
        program=program,
        policies=policies,
        rules={name: tuple(found) for name, found in rules.items()},
        readable="\n#unreadable" not in text,
    )


def change_table(prefix: Sequence[str], table: FilterTable, commands: Sequence[str]) -> None:
    """Carry out commands like `-I CHAIN 1 …` in one transaction; chains not named stay as they are.

    Raises BackendError; then nothing has changed.
    """
    given = "\n".join(["*filter", *commands, "COMMIT", ""])
    require(
        [*prefix, f"{table.program}-restore", "--noflush", "--wait", "5"],
        given=given,
        timeout=PATIENCE,
    )


def comment_of(rule: str) -> str | None:
    """The comment of a rule (`-m comment --comment "…"`), None when it has none."""
    words = iter(shlex.split(rule))
    return next((next(words, None) for word in words if word == "--comment"), None)


def without_comment(rule: str) -> Iterator[str]:
    """The words of a rule, its comment left out."""
    words = iter(shlex.split(rule))
    for word in words:
        if word == "--comment":
            next(words, None)
        elif word == "-m":
            module = next(words, "")
            if module != "comment":
                yield from (word, module)
        else:
            yield word
