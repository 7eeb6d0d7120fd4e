"""The command ``models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import exit_codes
from .arguments import add_command

if TYPE_CHECKING:
    import argparse

    from .session import Session


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add what this module does to the program."""
    parser = add_command(
        commands,
        "models",
        list_models,
        summary="list models, or those that are named",
        example=("{program} models\n{program} models claude-sonnet-5-5 --json"),
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="ID of a model (default: all)")


def list_models(session: Session, options: argparse.Namespace) -> int:
    """Print models."""
    resource = session.client.models
    if options.ids:
        found = [resource.retrieve(model_id) for model_id in options.ids]
    else:
        found = list(resource.list(limit=1000))
    if options.json:
        for model in found:
            session.output.json(model.to_dict())
        return exit_codes.OK
    rows = [
        (
            model.id,
            model.display_name,
            str(model.created_at)[:10],
            _figure(model, "max_input_tokens"),
            _figure(model, "max_tokens"),
        )
        for model in found
    ]
    heads = ("ID", "NAME", "CREATED", "INPUT TOKENS", "OUTPUT TOKENS")
    session.output.table(heads, rows, nothing="no models")
    return exit_codes.OK


def _figure(model: Any, name: str) -> int | None:
    value = getattr(model, name, None)
    return value if isinstance(value, int) else None
