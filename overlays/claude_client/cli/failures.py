"""What an error means to whoever typed the command: an exit code, and facts to show. Pure."""

from __future__ import annotations

from typing import Any

from .. import errors
from . import exit_codes
from .arguments import UsageError

_FACTS = ("status_code", "type", "error_code", "request_id", "operation", "attempts", "retry_after")


def describe_failure(error: BaseException) -> tuple[int, dict[str, Any]] | None:
    """Return the exit code and the facts of an error; None for one that is a defect.

    The facts are ``kind``, the class, ``message``, and of errors of the API what is known among
    ``status_code``, ``type``, ``error_code``, ``request_id``, ``operation``, ``attempts`` and
    ``retry_after``, and ``partial``, the message as far as it had come.
    """
    facts: dict[str, Any] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, KeyboardInterrupt):
        facts["message"] = "interrupted"
        return exit_codes.INTERRUPTED, facts
    if isinstance(error, errors.MissingCredentialsError):
        # Its own text names arguments of Python functions.
        looked_at = ", ".join(f"{source} ({state})" for source, state in error.sources)
        facts["message"] = (
            "no credential found. Set ANTHROPIC_API_KEY in the environment, or try --mock, which "
            f"needs none. Looked at: {looked_at}"
        )
        return exit_codes.USAGE, facts
    if isinstance(error, errors.APIError):
        facts.update(
            (name, value)
            for name in _FACTS
            if (value := getattr(error, name, None)) is not None and value != ""
        )
        if hasattr(error.partial, "to_dict"):
            facts["partial"] = error.partial.to_dict()
        return exit_codes.FAILED, facts
    if isinstance(error, UsageError) or (
        isinstance(error, errors.ClaudeError) and isinstance(error, ValueError)
    ):
        return exit_codes.USAGE, facts
    if isinstance(error, errors.ClaudeError):
        from ..batches.errors import BatchJournalError

        if isinstance(error, BatchJournalError):
            # A file that is no journal, or one that is in use.
            return exit_codes.USAGE, facts
        return exit_codes.FAILED, facts
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        facts["message"] = f"{place}{error.strerror or error}"
        return exit_codes.USAGE, facts
    return None
