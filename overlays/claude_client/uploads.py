"""What happens to the files of a call before its request is put together, and the bar it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import RequestTooLargeError
from claude_rest._runtime.file_contents import put_aside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.transfer import Transfer

    from .progress import ProgressBar


class TransferBar:
    """What ``progress=True`` stands for: a bar on the terminal for each run of a transfer."""

    def __init__(self, label: str) -> None:
        """Show ``label`` beside the bar."""
        self.label = label

    def begin(self) -> _DrawnBar:
        """Return what draws a bar, for one run."""
        from .progress import ProgressBar

        return _DrawnBar(ProgressBar(self.label, unit="B"))


class _DrawnBar:
    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar

    def __call__(self, transfer: Transfer) -> None:
        self._bar.update(transfer.transferred, transfer.total)

    def close(self) -> None:
        self._bar.close()


def prepare_upload(
    operation: Operation,
    arguments: Mapping[str, Any],
    options: RequestOptions,
    limit: int | None,
) -> tuple[Mapping[str, Any], RequestOptions]:
    """Return the arguments and options of a call with its files as the request takes them.

    A skill that is one folder or one archive becomes its parts, and the paths of all its files are
    checked. Raises what :func:`.skills.skill_parts` raises.
    """
    if "files[]" in operation.file_fields and arguments.get("files") is not None:
        from .skills import skill_parts

        try:
            files = skill_parts(
                arguments["files"],
                max_bytes=limit,
                check_paths=options.get("check_paths", True),
            )
        except RequestTooLargeError as error:
            error.operation = operation.id
            raise
        arguments = {**arguments, "files": files}
    if options.get("progress") is True:
        bar: Any = TransferBar(_label(operation, arguments))
        options = {**options, "progress": bar}
    return arguments, options


def _label(operation: Operation, arguments: Mapping[str, Any]) -> str:
    """Return what a bar is called: the name of the file, else the operation."""
    file: Any = arguments.get("file")
    if file.__class__ is tuple:
        # With a name of ``None`` the content has one of its own.
        file = file[0] or file[1]
    name = file if isinstance(file, str) else getattr(file, "name", None)
    return name.rpartition("/")[2] if isinstance(name, str) else operation.id


def hold_files(
    operation: Operation, arguments: Mapping[str, Any], limit: int | None
) -> Mapping[str, Any]:
    """Return the arguments with iterators put aside, so that the call can be made again."""
    held = dict(arguments)
    for field in operation.file_fields:
        name = field.removesuffix("[]")
        value: Any = held.get(name)
        if field.endswith("[]"):
            if value.__class__ is list:
                held[name] = [_held(item, limit) for item in value]
        elif name in held:
            held[name] = _held(value, limit)
    return held


def _held(value: Any, limit: int | None) -> Any:
    if value.__class__ is tuple and len(value) > 1:
        return (value[0], _held(value[1], limit), *value[2:])
    if hasattr(value, "__next__") and not hasattr(value, "read"):
        return put_aside(value, limit)
    return value
