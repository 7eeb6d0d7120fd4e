"""Emit the generated package from the representation."""

from __future__ import annotations

from pathlib import Path

from ..ir import Representation
from ..load import Bundle
from .formatting import format_python
from .models import emit_models
from .operations import emit_operations
from .package import emit_package
from .params import emit_params
from .resources import emit_resources

RUNTIME = Path(__file__).parent.parent / "runtime"


def emit(representation: Representation, bundle: Bundle) -> dict[str, bytes]:
    """Return every file of the generated package by path, formatted, in order of path.

    The hand-written runtime is copied as it is.
    """
    written = {
        **emit_package(representation, bundle),
        **emit_models(representation),
        **emit_params(representation, bundle.document),
        **emit_operations(representation),
        **emit_resources(representation),
    }
    files = {path: text.encode() for path, text in format_python(written).items()}
    for source in sorted(RUNTIME.glob("*.py")):
        files[f"_runtime/{source.name}"] = source.read_bytes().replace(b"\r\n", b"\n")
    return dict(sorted(files.items()))
