"""Everything public is alike on both clients: a walk over the classes, twin by twin."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

import pytest

import claude_client
import claude_rest.raw_responses
import claude_rest.resources
from claude_client import (
    callers,
    client,
    middleware,
    raw_calls,
    raw_verbs,
    resources,
    streaming,
    verbs,
)
from claude_client.batches import resource, results, run
from claude_client.structured_output import streams as parsed_streams
from claude_client.tools import function_tools, local_memory, memory, runner, steps
from claude_rest import _runtime
from claude_rest import client as low_level

EXCEPTIONS = {
    ("APIResponse", "AsyncAPIResponse"): "nothing of a whole answer has to be awaited",
    ("RawCalls", "explain"): "explaining waits for nothing, so neither is awaited",
}
"""What differs on purpose, and why."""

RENAMED = {
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
"""Methods of the async protocols, by those of the sync ones."""

ONLY_ASYNC = {
    ("AsyncPaginator", "*"): "a list that is awaited or iterated; a sync one is its first page",
    ("AsyncBodyChunks", "aclose"): "an asynchronous generator has to be ended where it was left",
}


def modules() -> list[Any]:
    found: list[Any] = [callers, client, middleware, raw_calls, raw_verbs, resources, streaming]
    found += [verbs, parsed_streams, function_tools, local_memory, memory, runner, steps]
    found += [resource, results, run]
    found += [low_level, claude_rest.raw_responses]
    for package in (claude_rest.resources, claude_rest.raw_responses, _runtime):
        found += [
            importlib.import_module(f"{package.__name__}.{module.name}")
            for module in pkgutil.iter_modules(package.__path__)
        ]
    return found


def twin_name(name: str) -> str:
    return f"BaseAsync{name[4:]}" if name.startswith("Base") else f"Async{name}"


def twins() -> list[tuple[type, type]]:
    """Public classes with an asynchronous one of the same name in the same module."""
    found: list[tuple[type, type]] = []
    for module in modules():
        for name, value in vars(module).items():
            twin = getattr(module, twin_name(name), None)
            if (
                inspect.isclass(value)
                and value.__module__ == module.__name__
                and not name.startswith("_")
                and inspect.isclass(twin)
            ):
                found.append((value, twin))
    return found


TWINS = twins()
IDS = [f"{sync.__module__.rpartition('.')[2]}.{sync.__name__}" for sync, _ in TWINS]


def members(cls: type) -> dict[str, Any]:
    """Return public methods and properties, inherited ones too, by their sync names."""
    found: dict[str, Any] = {}
    for name, value in (
        inspect.getmembers_static(cls)
        if hasattr(inspect, "getmembers_static")
        else inspect.getmembers(cls)
    ):
        if name.startswith("_") and name not in (
            *RENAMED,
            *RENAMED.values(),
            "__init__",
            "__call__",
        ):
            continue
        if getattr(value, "__objclass__", None) is object or value is object.__init__:
            continue
        value = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if isinstance(value, property) or inspect.isfunction(value):
            found[RENAMED.get(name, name)] = value
    return found


_SYNC_WORDS = {
    "AsyncPaginator": "Page",
    "AsyncIterator": "Iterator",
    "AsyncGenerator": "Generator",
    "aclose": "close",
}


def plain(annotation: Any) -> str:
    """Return an annotation without what makes it asynchronous."""
    text = "" if annotation is inspect.Parameter.empty else str(annotation)
    text = re.sub(
        r"\b(AsyncPaginator|AsyncIterator|AsyncGenerator)\b", lambda m: _SYNC_WORDS[m[1]], text
    )
    # What a generator is sent and returns has no asynchronous form.
    text = re.sub(r"\bGenerator\[(.*), None, None\]", r"Generator[\1, None]", text)
    # aiohttp has no synchronous side.
    text = text.replace(" | aiohttp.ClientSession", "")
    text = re.sub(r"(Base)?Async(?=[A-Z])", lambda m: m[1] or "", text)
    before = ""
    while before != text:
        before = text
        text = re.sub(r"\bAwaitable\[([^\[\]]*(?:\[[^\[\]]*\])?)\]", r"\1", text)
    return text


def default(value: Any) -> str:
    """Return a default as text; of a function, its name without what makes it asynchronous."""
    return value.__name__.removesuffix("_async") if inspect.isfunction(value) else repr(value)


def signature(value: Any) -> list[Any]:
    function = value.fget if isinstance(value, property) else value
    found = inspect.signature(function)
    return [
        isinstance(value, property),
        [
            (p.name, p.kind, default(p.default), plain(p.annotation))
            for p in found.parameters.values()
        ],
        plain(found.return_annotation),
    ]


def test_there_are_twins_of_every_kind() -> None:
    names = {sync.__name__ for sync, _ in TWINS}
    assert names >= {
        "APIResponse",
        "BaseClient",
        "Batches",
        "BinaryResponse",
        "Claude",
        "Client",
        "JSONLStream",
        "MessageStream",
        "MessageStreamManager",
        "Messages",
        "MessagesWithRawResponse",
        "Middleware",
        "Page",
        "RawCalls",
        "Stream",
        "StreamedAPIResponse",
        "Verb",
    }


def test_every_public_class_of_the_client_with_a_twin_is_walked() -> None:
    walked = {cls for pair in TWINS for cls in pair}
    for name in claude_client.__all__:
        if name.startswith("Async") and (name, "*") not in ONLY_ASYNC:
            assert getattr(claude_client, name) in walked, name


@pytest.mark.parametrize(("sync", "asynchronous"), TWINS, ids=IDS)
def test_both_have_the_same_members(sync: type, asynchronous: type) -> None:
    extra = {name for cls, name in ONLY_ASYNC if cls == asynchronous.__name__}
    assert set(members(sync)) == set(members(asynchronous)) - extra


@pytest.mark.parametrize(("sync", "asynchronous"), TWINS, ids=IDS)
def test_members_have_the_same_signature(sync: type, asynchronous: type) -> None:
    others = members(asynchronous)
    for name, value in members(sync).items():
        if name in others:
            assert signature(value) == signature(others[name]), name


@pytest.mark.parametrize(("sync", "asynchronous"), TWINS, ids=IDS)
def test_nothing_of_the_sync_twin_is_awaited(sync: type, asynchronous: type) -> None:
    for name, value in members(sync).items():
        assert not inspect.iscoroutinefunction(value), name
        assert not inspect.isasyncgenfunction(value), name
    if (sync.__name__, asynchronous.__name__) in EXCEPTIONS:
        return
    for name in ("close", "read", "json", "text", "parse", "__enter__", "__exit__"):
        value = members(asynchronous).get(name)
        if value is not None:
            assert inspect.iscoroutinefunction(value), name


@pytest.mark.parametrize("difference", ["Stream[T]", "Page[T]", "Iterator[str]"])
def test_the_comparison_tells_differences(difference: str) -> None:
    def one(a: int, *, b: str = "x") -> Any: ...

    def other(a: int, *, b: str = "y") -> Any: ...

    def third(a: int, *, c: str = "x") -> Any: ...

    assert signature(one) != signature(other)
    assert signature(one) != signature(third)
    assert plain(f"Async{difference}") == difference
    assert plain(f"Callable[[], Awaitable[Async{difference}]]") == f"Callable[[], {difference}]"
