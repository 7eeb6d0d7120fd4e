"""Which ``anthropic-beta`` flags and which ``anthropic-version`` a request needs.

The arguments of a call are walked once, without recursion, and only where the spec says that
something depends on a flag or on a version (the generated table of rules). What that finds,
:class:`Needs`, feeds two pure decisions: :func:`resolve_betas` and :func:`resolve_api_version`.
Nothing here does I/O and nothing is ever overwritten: flags are a union.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from claude_rest._runtime.request import split_betas, unite_betas
from claude_rest._runtime.struct import Struct, Unknown
from claude_rest._runtime.unset import UNSET

from .errors import ApiVersionConflictError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from claude_rest._runtime.operation import BetaRule, Operation

    TypeRules = Mapping[str, Any]
    Rules = Mapping[str, TypeRules]


class BetaNeed:
    """Something among the arguments that a beta flag switches on."""

    __slots__ = ("model", "path", "rule")

    rule: BetaRule
    path: str
    """Where it stands, for example ``messages[2].content[0]``."""
    model: str | None
    """Model of the object it stands in, when that differs from the request's."""

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

    __slots__ = ("betas", "unread", "versions")

    betas: list[BetaNeed]
    versions: list[VersionBound]
    unread: bool
    """Whether there are iterables that could not be looked through; see :func:`read_once`."""

    def __init__(self) -> None:
        self.betas = []
        self.versions = []
        self.unread = False


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
        if value.__class__ is not dict:
            value = _as_mapping(value)
            if value is None:
                continue
        while type_rules is not None and "members" in type_rules:
            tag = value.get(type_rules["tag"], UNSET)
            text = _text(tag)
            member = None if text is None else type_rules["members"].get(text)
            if member is None and tag is UNSET:
                member = type_rules.get("default")
            type_rules = None if member is None else rules.get(member)
        if type_rules is None:
            continue
        beta = type_rules.get("beta")
        if beta is not None:
            needs.betas.append(BetaNeed(beta, _path(trail), _own_model(value)))
        below: list[tuple[Any, TypeRules | None, Any]] = []
        for name, rule in type_rules.get("fields", _NOTHING).items():
            field = value.get(name, UNSET)
            if field is not UNSET and field is not None:
                _visit(field, rule, rules, (trail, name), needs, value, below)
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
    _record(rule, trail, needs, owner)
    text = _text(field)
    if text is not None:
        values = rule.get("values")
        if values is not None and text in values:
            _record(values[text], trail, needs, owner)
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
                below.extend((item, target_rules, (trail, key)) for key, item in mapping.items())
        return
    values = rule.get("values")
    target = rule.get("items")
    target_rules = None if target is None else rules.get(target)
    for index, item in enumerate(elements):
        text = _text(item)
        if text is not None:
            if values is not None and text in values:
                _record(values[text], (trail, index), needs, owner)
        elif target_rules is not None:
            below.append((item, target_rules, (trail, index)))


def _record(rule: Mapping[str, Any], trail: Any, needs: Needs, owner: Any) -> None:
    beta = rule.get("beta")
    if beta is not None:
        needs.betas.append(BetaNeed(beta, _path(trail), _own_model(owner)))
    since, until = rule.get("since"), rule.get("until")
    if since is not None or until is not None:
        needs.versions.append(VersionBound(_path(trail), since, until))


def resolve_betas(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    rules: Rules,
    client_betas: Iterable[str] = (),
    call_betas: Iterable[str] = (),
    header_betas: Iterable[str] = (),
    via_beta: bool = False,
    model: str | None = None,
    never_derived: Collection[str] = (),
    needs: Needs | None = None,
) -> tuple[str, ...]:
    """Return the flags of ``anthropic-beta``: an ordered union without duplicates.

    The order is: what the operation needs, what the arguments need, ``client_betas``,
    ``call_betas``, ``header_betas`` (from headers the caller wrote). Flags compare without regard
    to case; the first spelling stays. A rule that any flag already asked for satisfies adds
    nothing, so a caller may choose another generation of a feature than the default one.
    ``model`` decides the rules that some models do not need. Flags in ``never_derived`` come from
    the operation or the caller alone, whatever the arguments hold. ``needs`` saves walking the
    arguments again when :func:`find_needs` has done so.
    """
    # A flag per item is meant; a whole header value in one item is taken apart.
    asked = [
        flag
        for group in (client_betas, call_betas, header_betas)
        for text in ((group,) if isinstance(group, str) else group)
        for flag in split_betas(text)
    ]
    present = {flag.lower() for flag in asked}
    if needs is None:
        needs = find_needs(operation.request_type, arguments, rules)
    wanted = [rule for rule in operation.betas if _applies(rule, via_beta, model)]
    wanted.extend(
        need.rule
        for need in needs.betas
        if need.rule.default not in never_derived
        and _applies(need.rule, via_beta, model if need.model is None else need.model)
    )
    # Rules that leave no choice go first, so that what they add can satisfy those that do.
    present.update(rule.default.lower() for rule in wanted if len(rule.any_of) == 1)
    derived: list[str] = []
    for rule in wanted:
        if len(rule.any_of) > 1 and not present.isdisjoint(flag.lower() for flag in rule.any_of):
            continue
        derived.append(rule.default)
        present.add(rule.default.lower())
    if derived and asked:
        # A flag that was asked for by name keeps the place where it was asked for.
        by_name = {flag.lower() for flag in asked}
        derived = [flag for flag in derived if flag.lower() not in by_name]
    return tuple(unite_betas(derived, asked))


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
    ``versions`` that accepts all arguments. Raises
    :class:`~.errors.ApiVersionConflictError`, naming the arguments, when there is none.
    """
    if explicit is not None:
        return explicit
    newest_first = sorted(versions, reverse=True)
    if needs is None:
        needs = find_needs(operation.request_type, arguments, rules)
    for version in newest_first:
        if all(bound.accepts(version) for bound in needs.versions):
            return version
    raise ApiVersionConflictError(
        operation.id,
        {
            bound.path: tuple(version for version in newest_first if bound.accepts(version))
            for bound in needs.versions
        },
    )


def _applies(rule: BetaRule, via_beta: bool, model: str | None) -> bool:
    if rule.via_beta_namespace and not via_beta:
        return False
    return not (model and rule.unless_model and model.startswith(rule.unless_model))


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
    if hasattr(value, "__iter__") and not hasattr(value, "keys"):
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


def _own_model(value: Any) -> str | None:
    return _text(value.get("model"))


def _path(trail: Any) -> str:
    steps: list[str] = []
    while trail is not None:
        trail, step = trail
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).lstrip(".")
