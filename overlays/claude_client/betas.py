"""Which ``anthropic-beta`` flags a request carries, and who asked for each of them.

:func:`trace_betas` is a pure decision over what the arguments need (:mod:`.request_needs`), the
operation, the client and the call. Nothing is ever overwritten: flags are a union, from which
``-flag`` takes one out. When the server complains, :func:`explain_beta_error` says which of them
is meant and where it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.operation import BetaSource
from claude_rest._runtime.request import split_betas

from .errors import BetaConflictError
from .request_needs import find_needs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from claude_rest._runtime.errors import APIStatusError
    from claude_rest._runtime.operation import BetaRule, Operation

    from .request_needs import Needs, Rules

    Replacing = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]

WARNINGS_VARIABLE = "CLAUDE_BETA_WARNINGS"
"""Environment variable that turns :class:`DeprecatedBetaWarning` off: ``0`` or ``off``."""

_MAX_NAMED = 3


class DeprecatedBetaWarning(UserWarning):
    """A beta flag that the caller named has a successor or does nothing any more.

    Shown once per process and flag; off with a warnings filter or ``CLAUDE_BETA_WARNINGS=off``.
    """


class Betas:
    """The flags of one request."""

    __slots__ = ("flags", "sources")

    flags: tuple[str, ...]
    """In the order they are sent, each once."""
    sources: tuple[BetaSource, ...]
    """Who asked for each, and what is needed but was left out on purpose."""

    def __init__(self, flags: Iterable[str], sources: Iterable[BetaSource]) -> None:
        """Put flags and their sources together."""
        self.flags = tuple(flags)
        self.sources = tuple(sources)

    def asked(self) -> list[str]:
        """Return the flags that the caller named."""
        return [
            source.flag for source in self.sources if source.origin in ("client", "call", "header")
        ]

    def __repr__(self) -> str:
        return f"Betas({self.flags!r})"


def resolve_betas(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    rules: Rules,
    credential_betas: Iterable[str] = (),
    client_betas: Iterable[str] = (),
    call_betas: Iterable[str] = (),
    header_betas: Iterable[str] = (),
    via_beta: bool = False,
    model: str | None = None,
    never_derived: Collection[str] = (),
    needs: Needs | None = None,
    derive: bool = True,
    replacing: Replacing | None = None,
) -> tuple[str, ...]:
    """Return the flags of ``anthropic-beta``: an ordered union without duplicates.

    The order is: what the operation needs, what the arguments need, ``credential_betas``,
    ``client_betas``, ``call_betas``, ``header_betas`` (from headers the caller wrote). Flags
    compare without regard to case; the first spelling stays. A rule that any flag already asked
    for satisfies adds nothing, so a caller may choose another generation of a feature than the
    default one.

    ``-flag`` takes a flag out, whatever asked for it before: of client, call and headers the last
    word counts. ``derive`` off leaves what operation and arguments need to the caller. ``model``
    decides the rules that some models do not need. Flags in ``never_derived`` come from
    the operation or the caller alone, whatever the arguments hold. ``replacing`` says which flags
    take the place of which others, and on which paths: a replaced one is not derived, but stays
    where the caller named it. ``needs`` saves walking the arguments again when
    :func:`~.request_needs.find_needs` has done so.

    Raises :class:`~.errors.BetaConflictError` when two requests of a batch need flags that
    exclude each other.
    """
    if needs is None:
        needs = find_needs(operation.request_type, arguments, rules)
    return trace_betas(
        operation,
        needs,
        credential_betas=credential_betas,
        client_betas=client_betas,
        call_betas=call_betas,
        header_betas=header_betas,
        via_beta=via_beta,
        model=model,
        never_derived=never_derived,
        derive=derive,
        replacing=replacing,
    ).flags


def trace_betas(
    operation: Operation,
    needs: Needs,
    *,
    credential_betas: Iterable[str] = (),
    client_betas: Iterable[str] = (),
    call_betas: Iterable[str] = (),
    header_betas: Iterable[str] = (),
    via_beta: bool = False,
    model: str | None = None,
    never_derived: Collection[str] = (),
    derive: bool = True,
    replacing: Replacing | None = None,
) -> Betas:
    """Return the flags of a request with their sources; see :func:`resolve_betas`."""
    asked: dict[str, list[BetaSource]] = {}
    left_out: set[str] = set()
    for origin, group in (
        ("credential", credential_betas),
        ("client", client_betas),
        ("call", call_betas),
        ("header", header_betas),
    ):
        for text in (group,) if isinstance(group, str) else group:
            # A flag per item is meant; a whole header value in one item is taken apart.
            for flag in split_betas(text):
                if flag.startswith("-"):
                    name = flag[1:].strip().lower()
                    asked.pop(name, None)
                    left_out.add(name)
                else:
                    left_out.discard(flag.lower())
                    source = BetaSource(flag, origin)  # type: ignore[arg-type]
                    asked.setdefault(flag.lower(), []).append(source)
    wanted = [
        (rule, BetaSource(rule.default, "operation"))
        for rule in operation.betas
        if _applies(rule, via_beta, model)
    ]
    wanted.extend(
        (need.rule, BetaSource(need.rule.default, "argument", need.path))
        for need in needs.betas
        if need.rule.default not in never_derived
        and _applies(need.rule, via_beta, model if need.model is None else need.model)
    )
    if not wanted:
        return Betas(
            (sources[0].flag for sources in asked.values()),
            (source for sources in asked.values() for source in sources),
        )
    present = set(asked)
    if derive:
        # Rules that leave no choice go first, so that what they add can satisfy those that do.
        present.update(
            rule.default.lower()
            for rule, _ in wanted
            if len(rule.any_of) == 1 and rule.default.lower() not in left_out
        )
    derived: dict[str, list[tuple[BetaRule, BetaSource]]] = {}
    missing: list[BetaSource] = []
    for rule, source in wanted:
        name = rule.default.lower()
        if name in asked:
            asked[name].append(source)
        elif name in derived:
            derived[name].append((rule, source))
        elif len(rule.any_of) > 1 and any(flag.lower() in present for flag in rule.any_of):
            continue
        elif not derive or name in left_out:
            missing.append(BetaSource(source.flag, source.origin, source.path, sent=False))
        else:
            derived[name] = [(rule, source)]
            present.add(name)
    for replaced, by in _replaced(operation, present, replacing or {}):
        if replaced in derived:
            if by in derived:
                _refuse_conflict(operation, needs, derived[replaced], derived[by])
            del derived[replaced]
    return Betas(
        [
            *(uses[0][1].flag for uses in derived.values()),
            *(sources[0].flag for sources in asked.values()),
        ],
        [
            *(source for uses in derived.values() for _, source in uses),
            *(source for sources in asked.values() for source in sources),
            *missing,
        ],
    )


def _applies(rule: BetaRule, via_beta: bool, model: str | None) -> bool:
    if rule.via_beta_namespace and not via_beta:
        return False
    return not (model and rule.unless_model and model.startswith(rule.unless_model))


def _replaced(
    operation: Operation, present: Collection[str], replacing: Replacing
) -> list[tuple[str, str]]:
    """Return which flags are replaced by one that is present, and by which, on this path."""
    return [
        (flag.lower(), by.lower())
        for by, (endpoints, flags) in replacing.items()
        if by.lower() in present and any(_covers(place, operation.path) for place in endpoints)
        for flag in flags
    ]


def _covers(endpoint: str, path: str) -> bool:
    if endpoint.endswith("/**"):
        return path == endpoint[:-3] or path.startswith(endpoint[:-2])
    return path == endpoint


def _refuse_conflict(
    operation: Operation,
    needs: Needs,
    older: list[tuple[BetaRule, BetaSource]],
    newer: list[tuple[BetaRule, BetaSource]],
) -> None:
    """Raise when different requests of a batch need two flags of which one must not be sent.

    Within one request the newer flag takes the place of the older one.
    """
    flag = newer[0][1].flag
    for rule, source in older:
        item = None if source.path is None else needs.item_of(source.path)
        if item is None or flag in rule.any_of:
            continue
        for _, other in newer:
            if other.path is not None and needs.item_of(other.path) not in (None, item):
                raise BetaConflictError(
                    operation.id, {str(source.path): source.flag, other.path: flag}
                )


_warned: set[str] = set()


def warn_of_retired(flags: Iterable[str], retired: Mapping[str, str]) -> None:
    """Warn of flags that do nothing any more or have a successor, once per process and flag."""
    for flag in flags:
        name = flag.lower()
        if name in retired and name not in _warned:
            _warn(name, retired[name])
            # Not before: where warnings are errors, each call is one.
            _warned.add(name)


def _warn(flag: str, status: str) -> None:
    import os

    from .deprecations import warn_caller
    from .environment import setting, switched_off

    if switched_off(setting(os.environ, WARNINGS_VARIABLE)):
        return
    what = (
        "has no effect any more: what it unlocked is there without it"
        if status == "graduated"
        else "is deprecated: something newer took over"
    )
    warn_caller(DeprecatedBetaWarning(f"the beta flag {flag} {what}"))


def explain_beta_error(error: APIStatusError, betas: Betas) -> None:
    """Say in an error of the server which beta flag it is about and what brought it in.

    Adds to the message and sets ``error.betas``; leaves errors alone that are about no flag. It
    goes by the status and by names of flags in the message, as the wording changes.
    """
    sources = beta_sources(error, betas)
    if sources:
        error.betas = sources
        error.message += f" ({'; '.join(_notes(sources))})"


def beta_sources(error: APIStatusError, betas: Betas) -> tuple[BetaSource, ...]:
    """Return the sources of the flags that an error is about, empty when it is about none."""
    if error.status_code == 404:
        # A beta operation does not exist for a request without its flag.
        return tuple(s for s in betas.sources if s.origin == "operation" and not s.sent)
    if error.status_code != 400 or error.type not in (None, "invalid_request_error"):
        return ()
    text = error.message.lower()
    named = tuple(source for source in betas.sources if _mentions(text, source.flag.lower()))
    if not named and error.error_code == "organization_not_enrolled_in_beta":
        return tuple(source for source in betas.sources if source.sent)
    return named


def _mentions(text: str, flag: str) -> bool:
    """Tell whether a flag stands in a text, not as a part of a longer name."""
    start = text.find(flag)
    while start >= 0:
        end = start + len(flag)
        around = text[max(start - 1, 0) : start] + text[end : end + 1]
        if not any(character.isalnum() or character == "-" for character in around):
            return True
        start = text.find(flag, end)
    return False


def _notes(sources: Iterable[BetaSource]) -> list[str]:
    by_flag: dict[str, list[BetaSource]] = {}
    for source in sources:
        by_flag.setdefault(source.flag.lower(), []).append(source)
    notes: list[str] = []
    for uses in by_flag.values():
        places = list(dict.fromkeys(str(source) for source in uses))
        more = f" and {len(places) - _MAX_NAMED} more" if len(places) > _MAX_NAMED else ""
        named = ", ".join(places[:_MAX_NAMED]) + more
        if uses[0].sent:
            notes.append(f"beta flag {uses[0].flag} was sent because of {named}")
        else:
            notes.append(
                f"beta flag {uses[0].flag}, needed because of {named}, was not sent: "
                "derive_betas is off, or '-flag' left it out"
            )
    return notes
