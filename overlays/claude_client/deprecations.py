"""Warnings of models that go or are gone, once per process and model.

Which models those are, the spec says (``x-models``). Only what is sent to a model counts: listing
and looking up models warns of nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.operation import BetaSource
from claude_rest.service import MODEL_ENDS

from .environment import setting, switched_off

if TYPE_CHECKING:
    from collections.abc import Iterable

WARNINGS_VARIABLE = "CLAUDE_CLIENT_MODEL_WARNINGS"
"""Environment variable that turns :class:`ModelDeprecationWarning` off: ``0`` or ``off``."""

_warned: set[str] = set()

# What drives coroutines and threads stands between a call and the code that made it.
_DRIVERS = ("asyncio", "concurrent", "contextvars", "threading", "uvloop")


class ModelDeprecationWarning(UserWarning):
    """A model that a request names is deprecated or retired.

    Shown once per process and model; off with a warnings filter, or with
    ``CLAUDE_CLIENT_MODEL_WARNINGS=0``. No ``DeprecationWarning``: Python hides those outside of
    ``__main__``, and a model that goes takes the program with it.
    """

    model: str
    deprecated_on: str | None
    """Since when it is deprecated, as ``2026-11-30``; None if that is not known."""
    retires_on: str
    """The day on which it retires or was retired."""
    replacement: str | None

    def __init__(
        self,
        message: str,
        model: str,
        retires_on: str,
        deprecated_on: str | None = None,
        replacement: str | None = None,
    ) -> None:
        """Take the text and the facts it was made of."""
        super().__init__(message)
        self.model = model
        self.retires_on = retires_on
        self.deprecated_on = deprecated_on
        self.replacement = replacement

    def __reduce__(self) -> tuple[Any, ...]:
        facts = (self.model, self.retires_on, self.deprecated_on, self.replacement)
        return type(self), (*self.args, *facts)


def warn_of_models(models: Iterable[str]) -> None:
    """Warn of those models that go or are gone and were not warned of before."""
    import os

    for model in models:
        if model in _warned or model not in MODEL_ENDS:
            continue
        if switched_off(setting(os.environ, WARNINGS_VARIABLE)):
            return
        warn_caller(model_warning(model))
        # Not before: where warnings are errors, each call is one.
        _warned.add(model)


def model_warning(model: str, today: str | None = None) -> ModelDeprecationWarning:
    """Return the warning of a model as of a day, by default of today (UTC).

    Raises ``KeyError`` for a model that neither goes nor is gone.
    """
    from time import gmtime, strftime

    deprecated_on, retires_on, replacement = MODEL_ENDS[model]
    if retires_on <= (today or strftime("%Y-%m-%d", gmtime())):
        text = f"the model {model} was retired on {retires_on}: the API knows it no more"
    else:
        text = f"the model {model} is deprecated"
        text += "" if deprecated_on is None else f" since {deprecated_on}"
        text += f" and will be retired on {retires_on}"
    if replacement is not None:
        text += f"; use {replacement} instead"
    return ModelDeprecationWarning(text, model, retires_on, deprecated_on, replacement)


def warn_caller(warning: Warning) -> None:
    """Warn with the line to blame: the first one outside this package and the generated one.

    A task or a thread has no caller; then it is the line that runs its event loop, if there is
    one.
    """
    import warnings

    own = {__name__.partition(".")[0], BetaSource.__module__.partition(".")[0]}
    level, chosen = 1, 1
    frame = sys._getframe()
    while frame.f_back is not None:
        level, frame = level + 1, frame.f_back
        name = frame.f_globals.get("__name__", "").partition(".")[0]
        if name not in own and chosen == 1:
            chosen = level
        if name not in own and name not in _DRIVERS:
            chosen = level
            break
    warnings.warn(warning, stacklevel=chosen)
