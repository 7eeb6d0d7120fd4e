"""Names under which users of the official SDK know things of this client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_rest._runtime.timeouts import Timeout
from claude_rest._runtime.unset import UNSET, Unset

from .retries import RetryPolicy

if TYPE_CHECKING:
    from typing import Final

NOT_GIVEN: Final = UNSET
"""The same object as ``UNSET``: an argument that was not given."""

not_given: Final = UNSET
"""The same object as ``UNSET``."""

omit: Final = UNSET
"""The same object as ``UNSET``; as the value of a header it removes the header."""

NotGiven = Unset
Omit = Unset

DEFAULT_TIMEOUT: Final = Timeout()
"""What holds unless told otherwise: 5 s to connect, 600 s for each other phase."""

DEFAULT_MAX_RETRIES: Final = RetryPolicy().max_retries
"""Attempts after the first one, unless told otherwise."""
