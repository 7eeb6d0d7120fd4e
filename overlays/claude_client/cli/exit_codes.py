"""What the exit codes of ``claude-client`` mean."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
PARTLY_FAILED: Final = 3
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

MEANINGS: Final = {
    OK: "done",
    FAILED: "the API answered with an error, or could not be reached",
    USAGE: "wrong arguments, a file that cannot be read or written, no credential, a missing extra",
    PARTLY_FAILED: "a batch has ended, and not all of its requests have succeeded",
    INTERRUPTED: "interrupted (Ctrl-C)",
    BROKEN_PIPE: "whoever read the output has stopped reading",
}


def explain() -> str:
    """Return the table for ``--help``."""
    return "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())
