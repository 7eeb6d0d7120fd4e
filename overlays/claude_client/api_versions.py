"""Which ``anthropic-version`` a request carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ApiVersionConflictError
from .request_needs import VersionBound, find_needs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from claude_rest._runtime.operation import Operation

    from .request_needs import Needs, Rules


def resolve_api_version(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    rules: Rules,
    versions: Sequence[str],
    explicit: str | None = None,
    needs: Needs | None = None,
) -> str:
    """Return the value of ``anthropic-version``.

    ``explicit`` (from the call or the client) wins unseen. Otherwise it is the newest of
    ``versions`` that has the operation and accepts all arguments. Raises
    :class:`~.errors.ApiVersionConflictError`, naming the arguments, when there is none. All
    requests of a batch are sent under one version, so their needs are settled together.
    """
    if explicit is not None:
        return explicit
    newest_first = sorted(versions, reverse=True)
    if needs is None:
        needs = find_needs(operation.request_type, arguments, rules)
    bounds = needs.versions
    if operation.since is not None or operation.until is not None:
        bounds = [VersionBound("the operation", operation.since, operation.until), *bounds]
    for version in newest_first:
        if all(bound.accepts(version) for bound in bounds):
            return version
    raise ApiVersionConflictError(
        operation.id,
        {
            bound.path: tuple(version for version in newest_first if bound.accepts(version))
            for bound in bounds
        },
    )
