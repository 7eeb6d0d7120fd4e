"""All types of the API by name: response models and request types.

Nothing is loaded before a name is used. Request types end in ``Param`` or ``Params``, so the two
families share this module; where both have a name, such as an enum of strings, it is that of the
requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_rest.models import *  # noqa: F403
    from claude_rest.params import *  # noqa: F403


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would make any name exist.

    def __getattr__(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from claude_rest import models, params

        for package in (params, models):
            if name in package.__all__:
                value = globals()[name] = getattr(package, name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from claude_rest import models, params

    return sorted({*globals(), *models.__all__, *params.__all__})
