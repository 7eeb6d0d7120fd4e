"""How names on the wire become names in Python."""

from __future__ import annotations

import keyword
import re
from typing import Final

RESERVED_ATTRIBUTES: Final = frozenset(
    {"to_dict", "to_json", "to_param", "from_dict", "extra_fields", "meta", "self"}
)
"""Names of every generated class's own; a property of that name gets a trailing underscore."""

RESERVED_CLASSES: Final = frozenset(
    {
        "Answer",
        "Struct",
        "Unknown",
        "Unset",
        "UNSET",
        "Meta",
        "Any",
        "Literal",
        "True",
        "False",
        "None",
    }
)
"""Names that generated modules import; no component may have one of them."""

OPTION_NAMES: Final = frozenset(
    {
        "betas",
        "api_version",
        "workspace_id",
        "timeout",
        "max_retries",
        "extra_headers",
        "extra_query",
        "extra_body",
        "check_sizes",
        "include_pings",
        "derive_betas",
        "auto_stream",
        "progress",
        "check_paths",
    }
)
"""Options that every generated method takes besides the arguments of its operation."""

LOCAL_NAMES: Final = frozenset({"self", "options", "arguments", "result"})
"""Names that the bodies of generated methods use themselves."""

OPERATION_MODULES: Final = frozenset({"__init__", "beta_rules"})
"""Modules beside those of the families of operations."""


def python_name(wire: str) -> str:
    """Return the Python name of a property, parameter or method named ``wire``.

    A wire name is its own Python name wherever it can be: ``type`` stays ``type``. Keywords and
    names of the generated classes' own get a trailing underscore (``from`` becomes ``from_``);
    characters that no identifier has become underscores (``max-age`` becomes ``max_age``).
    """
    name = re.sub(r"[^0-9A-Za-z_]+", "_", wire)
    if name != wire:
        name = name.strip("_")
    if not name or name[0].isdigit():
        name = f"_{name}"
    if keyword.iskeyword(name) or name in RESERVED_ATTRIBUTES:
        name += "_"
    return name


def is_python_name(name: str) -> bool:
    """Tell whether ``name`` can be used as it is, for an attribute or an argument."""
    return name.isascii() and name.isidentifier() and python_name(name) == name
