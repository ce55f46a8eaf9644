"""Values as YAML that programs read back as the same values, whatever is in them. Called by the providers that make files.

PyYAML writes; what YAML 1.2 parsers would read otherwise (`1e3`, `y`, `0o7`) is put in quotes too, so that editors agree.
"""

import re
from typing import Any

import yaml

from freehold.config.scalars import resolve

_WIDTH = 120  # columns; ansible-lint complains from 160 on

_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")
"""Line breaks to YAML 1.1, which single quotes (PyYAML's choice for them) fold into spaces."""


class _Dumper(yaml.SafeDumper):
    """Block style, lists indented below their key, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ODD_BREAKS.search(text) or not isinstance(resolve(text), str):
        style = '"'
    elif "\n" in text.strip("\n"):
        style = "|"  # PyYAML takes quotes itself where this would not be the same text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """A mapping or list as block YAML; keys keep their order, every line ends in LF."""
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH))
