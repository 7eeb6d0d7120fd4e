"""The Jinja2 environment of the templates."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from .text import constant_case, docstring, literal, string, tuple_of


@cache
def environment() -> Environment:
    """Return the environment: undefined names are errors, filters quote text from the spec."""
    created = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    created.filters.update(
        constant=constant_case,
        docstring=docstring,
        literal=literal,
        string=string,
        tuple=tuple_of,
    )
    return created


def render(template: str, **context: Any) -> str:
    """Render one template."""
    return environment().get_template(template).render(**context)
