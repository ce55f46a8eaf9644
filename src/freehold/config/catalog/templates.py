"""Templates of descriptors: how they are read and filled in, and what can be known to be wrong with one beforehand.

`checks` looks at those of a descriptor; the providers that deploy services fill them in with `environment`. Whoever wrote
the descriptor runs nothing here: Jinja's sandbox, and no way to files or other templates.
"""

import shlex
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from freehold.config.catalog.passwords import pbkdf2_sha512

Names = Mapping[str, Any]
"""What a template may name: by word, the words that may follow it after a dot, or None for a value."""

_FUNCTIONS = frozenset({"range"})
_TAKEN_IN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """Where descriptors' templates are read and filled in; a name that is missing is an error."""
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # configuration files, not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in set(made.globals) - _FUNCTIONS:
        del made.globals[name]
    made.filters["to_yaml"] = _to_yaml
    made.filters["pbkdf2_sha512"] = pbkdf2_sha512
    made.filters["quote"] = shlex.quote
    return made


def _to_yaml(value: Any) -> str:
    """A list or mapping as YAML in block style, without the last line break; `indent` puts it where it belongs."""
    from freehold.config.yaml_text import as_yaml

    return as_yaml(value).removesuffix("\n")


def fill_in(template: str, values: Mapping[str, object]) -> str:
    """A template as text. Raises jinja2.TemplateError where a value is missing or cannot be used as written."""
    return template if _is_plain(template) else _read(template).render(values)


@lru_cache(maxsize=1024)
def _read(template: str) -> Template:
    """Reading one takes longer than filling it in, and services of one kind have the same."""
    return environment().from_string(template)


def wrong_syntax(template: str) -> str | None:
    """What Jinja says of a template that it cannot read; None when it can."""
    if _is_plain(template):
        return None
    try:
        tree = environment().parse(template)
    except TemplateSyntaxError as error:
        return _at(template, error.lineno, str(error.message).removesuffix("."))
    other = next((each for each in tree.find_all(nodes.Stmt) if isinstance(each, _TAKEN_IN)), None)
    if other is not None:
        return _at(template, other.lineno, "another template is taken in, and there are no others")
    return None


def _at(template: str, line: int, what: str) -> str:
    return f"line {line}: {what}" if "\n" in template.strip() else what


def unknown_names(template: str, names: Names) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    """Each unknown name of a template that Jinja can read: the word, those before it, and the words that may stand there."""
    if _is_plain(template):
        return
    tree = environment().parse(template)
    functions = list(_unknown_functions(tree))
    yield from functions
    if functions:  # Jinja does not look further either
        return
    free = meta.find_undeclared_variables(tree)
    for chain in _chains(tree, free):
        yield from _unknown(chain, names)


def called_secrets(template: str) -> Iterator[str]:
    """The names that `secret("NAME")` asks for."""
    if "secret" not in template or wrong_syntax(template):
        return
    for call in environment().parse(template).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "secret":
            yield from (str(each.value) for each in call.args if isinstance(each, nodes.Const))


def _is_plain(template: str) -> bool:
    return "{" not in template


def _unknown(chain: list[str], names: Names) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    known: Any = names
    for number, word in enumerate(chain):
        if not isinstance(known, Mapping):
            return
        if word not in known:
            yield word, tuple(chain[:number]), sorted(known)
            return
        known = known[word]


def _unknown_functions(tree: nodes.Template) -> Iterator[tuple[str, tuple[str, ...], list[str]]]:
    for each in tree.find_all(nodes.Filter):
        if each.name not in environment().filters:
            yield each.name, ("|",), sorted(environment().filters)
    for test in tree.find_all(nodes.Test):
        if test.name not in environment().tests:
            yield test.name, ("is",), sorted(environment().tests)


def _chains(node: nodes.Node, free: set[str]) -> Iterator[list[str]]:
    """Every `a.b["c"]` that begins with a name from outside of the template, as far as its words are written out."""
    if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Name):
        chain = _chain(node)
        if chain:
            if chain[0] in free and chain[0] not in _FUNCTIONS:
                yield chain
            return
    for child in node.iter_child_nodes():
        yield from _chains(child, free)


def _chain(node: nodes.Node) -> list[str] | None:
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        before = _chain(node.node)
        return [*before, node.attr] if before else None
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        before = _chain(node.node)
        return [*before, str(node.arg.value)] if before else None
    return None
