"""Listing and finding models: those that the examples of the spec name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .exchange import RefusedError
from .json_values import is_object

if TYPE_CHECKING:
    from .routing import Router

Model = Mapping[str, Any]

_SNAPSHOT: Final = re.compile(r"-\d{8}$")
_DEFAULT_LIMIT: Final = 20
_DEFAULT_LIFECYCLE: Final = ("active", "deprecated")


def known_models(router: Router) -> list[Model]:
    """Return every model of the spec's examples once, newest first."""
    models: dict[str, Model] = {}
    for name in ("models.list", "models.retrieve"):
        operation = router.operations.get(name)
        for example in operation.examples if operation else ():
            value = example.answer
            found: list[Model] = value.get("data", [value]) if is_object(value) else []
            for model in found:
                models.setdefault(model["id"], model)
    return sorted(models.values(), key=lambda model: str(model["created_at"]), reverse=True)


def list_models(models: list[Model], query: Mapping[str, Any]) -> dict[str, Any]:
    """Return one page of models (spec: ModelListResponse, pagination style id-cursor).

    Raises:
        RefusedError: 400 for two cursors, or one that names no model.
    """
    stages = query.get("lifecycle[]", _DEFAULT_LIFECYCLE)
    listed = [model for model in models if model["lifecycle"] in stages]
    limit: int = query.get("limit", _DEFAULT_LIMIT)
    after, before = query.get("after_id"), query.get("before_id")
    if after is not None and before is not None:
        raise RefusedError(400, "before_id: not together with after_id")
    if before is not None:
        end = _position(models, listed, before, "before_id")
        start = max(0, end - limit)
        page, has_more = listed[start:end], start > 0
    else:
        start = 0 if after is None else _position(models, listed, after, "after_id", following=True)
        page, has_more = listed[start : start + limit], start + limit < len(listed)
    return {
        "data": page,
        "has_more": has_more,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def _position(
    models: list[Model], listed: list[Model], cursor: str, name: str, *, following: bool = False
) -> int:
    """Return where a cursor stands in the filtered list, even if the filter leaves it out.

    With ``following`` the cursor's own model lies before that place.
    """
    order = {model["id"]: index for index, model in enumerate(models)}
    if cursor not in order:
        raise RefusedError(400, f"{name}: no model has this ID")
    bound = order[cursor] + following
    return sum(1 for model in listed if order[model["id"]] < bound)


def find_model(models: list[Model], name: str) -> Model:
    """Return the model with this ID, or the newest snapshot that this alias stands for.

    Raises:
        RefusedError: 404 when there is none.
    """
    for model in models:
        if model["id"] == name:
            return model
    for model in models:
        if _SNAPSHOT.sub("", model["id"]) == name:
            return model
    raise RefusedError(404, f"model: {name[:80]}")
