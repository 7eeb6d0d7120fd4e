"""The command ``files``: upload, download, list, delete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress import format_amount
from . import exit_codes
from .arguments import UsageError, add_command, add_group, positive
from .content import STDIN

if TYPE_CHECKING:
    import argparse

    from ..progress import ProgressBar
    from .session import Session


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add what this module does to the program."""
    group = add_group(commands, "files", summary="upload, download, list and delete files")
    upload = add_command(
        group,
        "upload",
        upload_files,
        summary="upload files and print their IDs",
        about="Stops at the first that fails; those whose IDs are printed are uploaded.",
        example="{program} upload report.pdf data.csv\ndate | {program} upload --name now.txt -",
    )
    upload.add_argument("paths", nargs="+", metavar="PATH", help="a file; - is stdin")
    upload.add_argument("--name", help="name of the file (default: that of the path)")
    download = add_command(
        group,
        "download",
        download_file,
        summary="download a file that a tool has made",
        about="The file appears when it is complete; a download that breaks off leaves nothing.",
        example="{program} download file_011CNha8iCJcU1wXNR6q4V8w -o chart.png",
    )
    download.add_argument("file_id", metavar="ID", help="ID of the file")
    download.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="a file, which is replaced, a folder, or - for standard output "
        "(default: the name that the file has, here; never in place of another)",
    )
    listing = add_command(
        group, "list", list_files, summary="list files, newest first", example="{program} list"
    )
    listing.add_argument("--limit", type=positive, metavar="N", help="list at most so many")
    delete = add_command(
        group,
        "delete",
        delete_files,
        summary="delete files for good",
        example="{program} delete file_011CNha8iCJcU1wXNR6q4V8w",
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help="ID of a file")


def upload_files(session: Session, options: argparse.Namespace) -> int:
    """Upload files, and print each as soon as it is there."""
    if options.name and len(options.paths) > 1:
        raise UsageError("--name is for one file")
    if options.paths.count(STDIN) and not options.name:
        raise UsageError("standard input needs a name: --name")
    for place in options.paths:
        # All of them before the first is uploaded: a slip of the pen should cost nothing. Not so
        # pipes: what writes into one would see its reader go away.
        if place != STDIN and not Path(place).is_fifo():
            with Path(place).open("rb"):
                pass
    for place in options.paths:
        content: Any = session.read_stdin() if place == STDIN else Path(place)
        name = options.name or Path(place).name
        with session.bar(name, unit="B") as bar:
            file = session.client.files.upload(
                file=(name, content) if options.name else content, **_reporting(bar)
            )
        if options.json:
            session.output.json(file.to_dict())
        else:
            size = format_amount(file.size_bytes, "B")
            session.output.line(f"{file.id}  {file.filename}  {size}")
    return exit_codes.OK


def download_file(session: Session, options: argparse.Namespace) -> int:
    """Download a file to a path or to standard output."""
    files = session.client.files
    if options.output == STDIN:
        stdout = session.output.stdout
        stdout.flush()
        with session.bar(options.file_id, unit="B") as bar:
            files.download(options.file_id).write_to_file(stdout.buffer, **_reporting(bar))
        stdout.buffer.flush()
        return exit_codes.OK
    target = Path(options.output) if options.output else None
    if target is None or target.is_dir():
        metadata = files.retrieve_metadata(options.file_id)
        name = safe_name(metadata.filename) or options.file_id
        target = (target or Path()) / name
        if os.path.lexists(target):
            raise UsageError(f"{target} is there already; name a file with -o to replace it")
    with session.bar(target.name, unit="B") as bar:
        written = files.download(options.file_id).write_to_file(target, **_reporting(bar))
    if options.json:
        facts = {"id": options.file_id, "path": str(target), "size_bytes": written}
        session.output.json(facts)
    else:
        session.output.line(f"{target}  {format_amount(written, 'B')}")
    return exit_codes.OK


def list_files(session: Session, options: argparse.Namespace) -> int:
    """Print the files of the workspace."""
    found = session.client.files.list(limit=min(options.limit or 1000, 1000))
    rows: list[tuple[object, ...]] = []
    for file in found.items(options.limit):
        if options.json:
            session.output.json(file.to_dict())
            continue
        size = format_amount(file.size_bytes, "B")
        created = str(file.created_at)[:10]
        rows.append((file.id, file.filename, file.mime_type, size, created))
    if not options.json:
        heads = ("ID", "NAME", "TYPE", "SIZE", "CREATED")
        session.output.table(heads, rows, nothing="no files")
    return exit_codes.OK


def delete_files(session: Session, options: argparse.Namespace) -> int:
    """Delete files, one after the other; stops at the first that fails."""
    for file_id in options.ids:
        deleted = session.client.files.delete(file_id)
        if options.json:
            session.output.json(deleted.to_dict())
        else:
            session.output.line(f"{file_id}  deleted")
    return exit_codes.OK


def safe_name(name: str) -> str:
    """Return the name of a file without folders and what would hide it; may be empty.

    Whoever made the file has named it.
    """
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable() and each not in ':*?"<>|').lstrip(
        ". "
    )


def _reporting(bar: ProgressBar) -> dict[str, Any]:
    """Return the option that moves a bar, where there is one to be seen."""
    if not bar.visible:
        return {}

    def report(transfer: Any) -> None:
        bar.update(transfer.transferred, transfer.total)

    return {"progress": report}
