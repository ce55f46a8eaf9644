"""The templates of a service, filled in. Pure; called by `content` and `entry`; how templates are read is `config.catalog`'s."""

from collections.abc import Callable, Mapping
from typing import Any

from freehold.diagnostics import ConfigError
from freehold.model.services import Service
from freehold.providers.compose import problems

Fill = Callable[[str, str], str]
"""Fills in a text; the second argument says in words what it is, for the message when that fails."""


def filler(service: Service, values: Mapping[str, Any]) -> Fill:
    """What fills in the texts of one service. Raises ConfigError where a text cannot be filled in."""

    def fill(text: str, what: str) -> str:
        if "{" not in text:
            return text
        from jinja2 import TemplateError

        from freehold.config.catalog.templates import fill_in

        try:
            return fill_in(text, values)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Of the error only its words: what it came from may hold secrets.
            raise ConfigError(problems.unfilled(service, what, str(error))) from None

    return fill
