"""Commands in messages, as this user has to type them: with the same `-C` and `--lab` as the call that shows them."""

import re

_PLAIN = "freehold"
_LINE = re.compile(
    r"^(?P<space> +)(?P<program>freehold(?! (?:lab|init|schema) )|incus|sudo(?= mv )) ",
    re.MULTILINE,
)
_IN_TEXT = re.compile(
    r"`freehold (?P<verb>apply|plan|verify|status|destroy|orphans|snapshot|undo|log)\b"
)


def as_typed(text: str, command: str) -> str:
    """`text` with its commands made right for `command` (`freehold --lab -C demo`), which stands for `freehold`."""
    if command == _PLAIN:
        return text
    text = _LINE.sub(lambda found: found["space"] + _program(found["program"], command), text)
    return _IN_TEXT.sub(lambda found: f"`{command} {found['verb']}", text)


def _program(program: str, command: str) -> str:
    """The lab's Incus, and its storage, are reached through the lab; the lab's own commands have no estate."""
    if program == _PLAIN:
        return f"{command} "
    if "--lab" not in command.split():
        return f"{program} "
    return "freehold lab run -- incus " if program == "incus" else "freehold lab run -- "
