"""What the arguments of a call need: beta flags, and values of ``anthropic-version``.

The arguments are walked once, without recursion, and only where the spec says that something
depends on a flag or on a version (the generated table of rules). Nothing here does I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from claude_rest._runtime.encoded import EncodedItems
from claude_rest._runtime.struct import Struct, Unknown
from claude_rest._runtime.unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest._runtime.operation import BetaRule, Operation

    TypeRules = Mapping[str, Any]
    Rules = Mapping[str, TypeRules]

MAX_PLACES = 10
"""How many places are kept for one reason: a history may use the same thing in every turn."""


class BetaNeed:
    """Something among the arguments that a beta flag switches on."""

    __slots__ = ("model", "path", "rule")

    rule: BetaRule
    path: str
    """Where it stands, for example ``messages[2].content[0]``."""
    model: str | None
    """Model of the nearest object around it that names one; None when only the request does."""

    def __init__(self, rule: BetaRule, path: str, model: str | None = None) -> None:
        self.rule = rule
        self.path = path
        self.model = model

    def __repr__(self) -> str:
        return f"BetaNeed({self.path!r}, {self.rule.default!r})"


class VersionBound:
    """An argument that only some values of ``anthropic-version`` accept."""

    __slots__ = ("path", "since", "until")

    path: str
    since: str | None
    """First version that accepts it."""
    until: str | None
    """Last version that accepts it."""

    def __init__(self, path: str, since: str | None, until: str | None) -> None:
        self.path = path
        self.since = since
        self.until = until

    def accepts(self, version: str) -> bool:
        """Tell whether ``version`` accepts the argument; versions are ISO dates."""
        return (self.since is None or self.since <= version) and (
            self.until is None or version <= self.until
        )

    def __repr__(self) -> str:
        return f"VersionBound({self.path!r}, since={self.since!r}, until={self.until!r})"


class Needs:
    """What the arguments of one call need; see :func:`find_needs`."""

    __slots__ = ("_bodies", "_counts", "betas", "unread", "versions")

    betas: list[BetaNeed]
    """In the order of the spec; of one rule and model the first :data:`MAX_PLACES`."""
    versions: list[VersionBound]
    """In the order of the spec; of one span the first :data:`MAX_PLACES`."""
    unread: bool
    """Whether there are iterables that could not be looked through; see :func:`read_once`."""

    def __init__(self) -> None:
        self.betas = []
        self.versions = []
        self.unread = False
        self._bodies: list[Any] = []
        self._counts: dict[Any, int] = {}

    def item_of(self, path: str) -> str | None:
        """Return which request of a batch ``path`` is in, for example ``requests[3].params``."""
        return next(
            (
                body
                for body in map(_path, self._bodies)
                if path.startswith(f"{body}.") or path == body
            ),
            None,
        )

    def record(self, rule: Mapping[str, Any], trail: Any, owner: Any) -> None:
        """Add what ``rule`` asks for; ``owner`` is the object that the value stands in."""
        beta = rule.get("beta")
        if beta is not None:
            # The rules are few and live as long as the process, so that their identity will do.
            model = _model_around(trail, owner) if beta.unless_model else None
            if self._is_new((id(beta), model)):
                self.betas.append(BetaNeed(beta, _path(trail), model))
        since, until = rule.get("since"), rule.get("until")
        if (since is not None or until is not None) and self._is_new((since, until)):
            self.versions.append(VersionBound(_path(trail), since, until))

    def _is_new(self, reason: Any) -> bool:
        count = self._counts.get(reason, 0)
        self._counts[reason] = count + 1
        return count < MAX_PLACES


def find_needs(request_type: str | None, arguments: Mapping[str, Any], rules: Rules) -> Needs:
    """Walk ``arguments`` once, in the order of the spec, and collect what is beta or versioned.

    ``request_type`` is the component of the request body; ``rules`` says for each type which of
    its fields matter or lead to one that does. Parts that cannot hold anything of interest, such
    as tool schemas and text, are not visited. Response models may stand anywhere a dict may, any
    iterable with a length where a list may. An explicit ``None`` is no use of anything.
    """
    needs = Needs()
    root = rules.get(request_type) if request_type is not None else None
    if root is None:
        return needs
    pending: list[tuple[Any, TypeRules | None, Any]] = [(arguments, root, None)]
    while pending:
        value, type_rules, trail = pending.pop()
        if value.__class__ is _Rest:
            item = value.next_item()
            if item is _END:
                continue
            pending.append((value, type_rules, trail))
            value, trail = item, (trail, value.index, None)
        if value.__class__ is not dict:
            value = _as_mapping(value)
            if value is None:
                continue
        while type_rules is not None:
            if "beta" in type_rules or "until" in type_rules or "since" in type_rules:
                needs.record(type_rules, trail, value)
            if "members" not in type_rules:
                break
            tag = value.get(type_rules["tag"], UNSET)
            text = _text(tag)
            member = None if text is None else type_rules["members"].get(text)
            if member is None and tag is UNSET:
                member = type_rules.get("default")
            type_rules = None if member is None else rules.get(member)
        if type_rules is None:
            continue
        if "body" in type_rules and trail is not None:
            needs._bodies.append(trail)
        below: list[tuple[Any, TypeRules | None, Any]] = []
        for name, rule in type_rules.get("fields", _NOTHING).items():
            field = value.get(name, UNSET)
            if field is not UNSET and field is not None:
                _visit(field, rule, rules, (trail, name, value), needs, value, below)
        below.reverse()
        pending.extend(below)
    return needs


def _visit(
    field: Any,
    rule: Mapping[str, Any],
    rules: Rules,
    trail: Any,
    needs: Needs,
    owner: Any,
    below: list[tuple[Any, TypeRules | None, Any]],
) -> None:
    """Record what one field needs and add the objects under it to ``below``."""
    needs.record(rule, trail, owner)
    text = _text(field)
    if text is not None:
        values = rule.get("values")
        if values is not None and text in values:
            needs.record(values[text], trail, owner)
        return
    elements = _elements(field)
    if elements is UNSET:
        needs.unread = True
        return
    if elements is None:
        target = rule.get("type")
        if target is not None:
            below.append((field, rules.get(target), trail))
        target = rule.get("map")
        if target is not None:
            mapping = _as_mapping(field)
            if mapping is not None:
                target_rules = rules.get(target)
                below.extend(
                    (item, target_rules, (trail, key, None)) for key, item in mapping.items()
                )
        return
    values = rule.get("values")
    target = rule.get("items")
    target_rules = None if target is None else rules.get(target)
    if elements.__class__ is EncodedItems and values is None:
        # Item by item: decoded together they would take several times the memory of the text.
        if target_rules is not None:
            below.append((_Rest(elements), target_rules, trail))
        return
    for index, item in enumerate(elements):
        text = _text(item)
        if text is not None:
            if values is not None and text in values:
                needs.record(values[text], (trail, index, None), owner)
        elif target_rules is not None:
            below.append((item, target_rules, (trail, index, None)))


class _Rest:
    """The items of an encoded list that have not been visited yet."""

    __slots__ = ("_items", "index")

    def __init__(self, items: EncodedItems) -> None:
        self._items = iter(items)
        self.index = -1

    def next_item(self) -> Any:
        self.index += 1
        return next(self._items, _END)


_END: Any = object()


def add_parameter_needs(needs: Needs, operation: Operation, arguments: Mapping[str, Any]) -> None:
    """Add what the path, query and header parameters of a call need."""
    for name, rule in operation.parameter_rules.items():
        value = arguments.get(name, UNSET)
        if value is not UNSET and value is not None:
            _visit(value, rule, {}, (None, name, None), needs, arguments, [])


_NOTHING: dict[str, Any] = {}


def _as_mapping(value: Any) -> Any:
    """Return something with ``get`` and ``items`` over the wire names, or None."""
    if isinstance(value, dict):
        return cast("Any", value)
    if isinstance(value, Unknown):
        return value.raw
    if isinstance(value, Struct):
        return _StructView(value)
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return dict(value)
    return None


class _StructView:
    """Reads a response model by wire name without encoding it."""

    __slots__ = ("_model",)

    def __init__(self, model: Struct) -> None:
        self._model = model

    def get(self, name: str, default: Any = None) -> Any:
        value = getattr(self._model, name, UNSET)
        if value is UNSET:
            value = self._model.extra_fields.get(name, default)
        return value

    def items(self) -> Any:
        return self._model.to_dict().items()


def _elements(value: Any) -> Any:
    """Return the elements of an array, None for anything else.

    ``UNSET`` stands for an array that looking through might use up: see :func:`read_once`.
    """
    if value.__class__ is list or value.__class__ is tuple:
        return value
    if value.__class__ is dict or isinstance(value, (dict, Struct, bytes)) or value is None:
        return None
    if hasattr(value, "__iter__") and not hasattr(value, "keys") and not hasattr(value, "read"):
        return value if hasattr(value, "__len__") else UNSET
    return None


def _text(value: Any) -> str | None:
    """Return the string that ``value`` is sent as; None for what is sent as anything else."""
    if isinstance(value, str):
        return value
    if value.__class__ is dict or value.__class__ is list or isinstance(value, Struct):
        return None
    # Members of an Enum, without loading that module.
    text = getattr(value, "_value_", None)
    return text if isinstance(text, str) else None


def read_once(value: Any) -> Any:
    """Return ``value`` with every iterable that has no length as a list, at any depth.

    Nothing is changed in place: the containers around them are copied. What an iterable raises
    while it is read goes through. Raises ``EncodeError`` for what is nested too deeply: some of
    it has been read by then and could not be sent any more.
    """
    try:
        return _read_once(value)
    except RecursionError as error:
        from claude_rest._runtime.codec import EncodeError

        raise EncodeError(
            "cannot be sent as JSON: an iterator in it, and nested too deep"
        ) from error


def _read_once(value: Any) -> Any:
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return {name: _read_once(value[name]) for name in value.keys()}  # noqa: SIM118
    if _text(value) is None and value.__class__ not in (bytearray, memoryview):
        elements = _elements(value)
        if elements is not None:
            return [_read_once(item) for item in (value if elements is UNSET else elements)]
    return value


def _model_around(trail: Any, owner: Any) -> str | None:
    model = _text(owner.get("model"))
    while model is None and trail is not None:
        trail, _, owner = trail
        if owner is not None:
            model = _text(owner.get("model"))
    return model


def _path(trail: Any) -> str:
    steps: list[str] = []
    while trail is not None:
        trail, step, _ = trail
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).lstrip(".")
