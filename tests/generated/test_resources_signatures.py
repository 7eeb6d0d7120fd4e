"""Resource methods: complete, alike on both clients, and faithful about what they pass on."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from typing import Any, cast

import pytest

from claude_rest._runtime.kept import kept_property
from claude_rest import AsyncClient, Client
from claude_rest._runtime.unset import UNSET
from claude_rest.client import AsyncBeta, AsyncResources, Beta, Resources
from claude_rest.operations import OPERATIONS
from schema_documents import SCHEMAS

KEYS = sorted(OPERATIONS)


class Recorder:
    """A caller that notes what it is asked to do."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, dict[str, Any], Any, bool]] = []

    def call(self, *arguments: Any) -> Any:
        self.calls.append(("call", *arguments))
        return "called"

    def stream(self, *arguments: Any) -> Any:
        self.calls.append(("stream", *arguments))
        return "streamed"

    def paginate(self, *arguments: Any) -> Any:
        self.calls.append(("paginate", *arguments))
        return "paginated"


class AsyncRecorder(Recorder):
    async def call(self, *arguments: Any) -> Any:
        return super().call(*arguments)

    async def stream(self, *arguments: Any) -> Any:
        return super().stream(*arguments)


def method_of(resources: Any, key: str) -> Any:
    for name in key.split("."):
        resources = getattr(resources, name)
    return resources


def sync_method(key: str, recorder: Any = None) -> Any:
    return method_of(Beta(cast("Any", recorder or Recorder())), key)


def async_method(key: str, recorder: Any = None) -> Any:
    return method_of(AsyncBeta(cast("Any", recorder or AsyncRecorder())), key)


def arguments_of(key: str) -> list[str]:
    operation = OPERATIONS[key]
    renamed = {wire: python for python, wire in operation.body_names.items()}
    return [
        *(parameter.name for parameter in operation.parameters),
        *(renamed.get(name, name) for name in operation.body_fields),
    ]


def required_of(key: str) -> set[str]:
    operation = OPERATIONS[key]
    needed = {parameter.name for parameter in operation.parameters if parameter.required}
    if operation.request_type is not None:
        renamed = {wire: python for python, wire in operation.body_names.items()}
        needed |= {
            renamed.get(name, name) for name in SCHEMAS[operation.request_type].get("required", ())
        }
    return needed


@pytest.mark.parametrize("key", KEYS)
def test_every_argument_of_the_operation_is_there(key: str) -> None:
    parameters = inspect.signature(sync_method(key)).parameters
    *given, options = parameters.values()
    assert {parameter.name for parameter in given} == set(arguments_of(key))
    assert len(given) == len(arguments_of(key))
    assert options.kind is inspect.Parameter.VAR_KEYWORD
    own = "workspace_id" in arguments_of(key)
    name = "OptionsBesideWorkspace" if own else "RequestOptions"
    assert options.annotation == f"Unpack[{name}]"
    paths = [p.name for p in OPERATIONS[key].parameters if p.location == "path"]
    for parameter in given:
        if parameter.name in paths:
            assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        else:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        if parameter.name in required_of(key):
            assert parameter.default is inspect.Parameter.empty
        else:
            assert parameter.default is UNSET
            assert str(parameter.annotation).endswith("| Unset")
    assert [parameter.name for parameter in given][: len(paths)] == paths


@pytest.mark.parametrize("key", KEYS)
def test_both_clients_have_the_same_signature(key: str) -> None:
    one, other = inspect.signature(sync_method(key)), inspect.signature(async_method(key))
    assert list(one.parameters.values()) == list(other.parameters.values())
    returned = str(one.return_annotation)
    for plain, asynchronous in (
        ("Page[", "AsyncPaginator["),
        ("JSONLStream[", "AsyncJSONLStream["),
        ("BinaryResponse", "AsyncBinaryResponse"),
    ):
        returned = returned.replace(plain, asynchronous)
    returned = re.sub(r"(?<!L)\bStream\[", "AsyncStream[", returned)
    assert returned == other.return_annotation
    assert sync_method(key).__doc__ == async_method(key).__doc__


@pytest.mark.parametrize("key", KEYS)
def test_what_is_a_coroutine_function(key: str) -> None:
    assert not inspect.iscoroutinefunction(sync_method(key))
    # A paginator is awaited or iterated over, so the method that makes one is not awaited.
    assert inspect.iscoroutinefunction(async_method(key)) is not bool(OPERATIONS[key].pagination)


@pytest.mark.parametrize("key", KEYS)
def test_documentation(key: str) -> None:
    text = inspect.getdoc(sync_method(key))
    assert text
    head, _, arguments = text.partition("Args:")
    assert len(head) > 40
    for name in arguments_of(key):
        assert f"    {name}: " in arguments


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_every_argument_is_passed_on(key: str, asynchronous: bool) -> None:
    operation = OPERATIONS[key]
    recorder = AsyncRecorder() if asynchronous else Recorder()
    method = (async_method if asynchronous else sync_method)(key, recorder)
    values: dict[str, Any] = {name: object() for name in arguments_of(key)}
    if operation.stream_argument is not None:
        values[operation.stream_argument] = False
    options: dict[str, Any] = {"betas": ["a-1"], "timeout": 5.0, "extra_headers": {"x": "y"}}
    result = method(**values, **options)
    if inspect.isawaitable(result):
        result = asyncio.run(result)  # type: ignore[arg-type]
    kind = "paginate" if operation.pagination else "call"
    assert recorder.calls == [(kind, operation, values, options, True)]
    assert result == ("paginated" if operation.pagination else "called")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_is_not_given_is_unset(key: str, asynchronous: bool) -> None:
    recorder = AsyncRecorder() if asynchronous else Recorder()
    method = (async_method if asynchronous else sync_method)(key, recorder)
    values = dict.fromkeys(required_of(key), "x")
    result = method(**values)
    if inspect.isawaitable(result):
        asyncio.run(result)  # type: ignore[arg-type]
    ((_, _, arguments, options, _),) = recorder.calls
    assert set(arguments) == set(arguments_of(key))
    for name, value in arguments.items():
        assert value == values.get(name, UNSET)
    assert options == {}


STREAMING = [key for key in KEYS if OPERATIONS[key].stream_argument]


@pytest.mark.parametrize("key", STREAMING)
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("given", "kind"), [(True, "stream"), (False, "call"), (UNSET, "call"), (None, "call")]
)
def test_the_stream_argument_decides(key: str, asynchronous: bool, given: Any, kind: str) -> None:
    recorder = AsyncRecorder() if asynchronous else Recorder()
    method = (async_method if asynchronous else sync_method)(key, recorder)
    stream = str(OPERATIONS[key].stream_argument)
    result = method(**dict.fromkeys(required_of(key), "x"), **{stream: given})
    if inspect.isawaitable(result):
        asyncio.run(result)  # type: ignore[arg-type]
    ((how, _, arguments, _, _),) = recorder.calls
    assert how == kind
    assert arguments[stream] is given


@pytest.mark.parametrize("key", KEYS)
def test_a_misspelt_argument_is_passed_as_an_option(key: str) -> None:
    """Type checkers refuse it; at run time the options are where the caller can refuse it."""
    recorder = Recorder()
    sync_method(key, recorder)(**dict.fromkeys(required_of(key), "x"), temprature=1)
    assert recorder.calls[0][3] == {"temprature": 1}


def public(cls: type) -> dict[str, Any]:
    return {name: value for name, value in vars(cls).items() if not name.startswith("_")}


WITH_RESPONSE = {"with_raw_response", "with_streaming_response"}


def resource_classes() -> list[tuple[type, type]]:
    sync, asynchronous = Beta(cast("Any", None)), AsyncBeta(cast("Any", None))
    names = {key.split(".")[0] for key in KEYS}
    return [(type(getattr(sync, name)), type(getattr(asynchronous, name))) for name in names]


def test_both_clients_have_the_same_resources() -> None:
    roots = {key.split(".")[0] for key in KEYS}
    assert set(public(Resources)) == set(public(AsyncResources)) == roots | WITH_RESPONSE
    for sync, asynchronous in resource_classes():
        assert asynchronous.__name__ == f"Async{sync.__name__}"
        assert set(public(sync)) == set(public(asynchronous))
        methods = {
            key.rpartition(".")[2] for key in KEYS if type(sync_method(key).__self__) is sync
        }
        properties = {
            name
            for name, value in public(sync).items()
            if isinstance(value, (property, kept_property))
        }
        children = properties - WITH_RESPONSE
        assert properties >= WITH_RESPONSE
        assert children <= {part for key in KEYS for part in key.split(".")[1:-1]}
        assert set(public(sync)) - properties == methods


def test_beta_is_the_same_classes_marked() -> None:
    client, asynchronous = Client(api_key="k"), AsyncClient(api_key="k")
    for key in KEYS:
        for owner in (client, asynchronous):
            plain, beta = method_of(owner, key), method_of(owner.beta, key)
            assert type(plain.__self__) is type(beta.__self__)
            assert plain.__func__ is beta.__func__
            assert plain.__self__._via_beta is False
            assert beta.__self__._via_beta is True


@pytest.mark.parametrize("key", STREAMING)
def test_overloads(key: str) -> None:
    """One overload per value of the stream argument; otherwise they agree with the method."""
    for method in (sync_method(key), async_method(key)):
        owner = type(method.__self__).__name__
        module = ast.parse(inspect.getsource(inspect.getmodule(method)))  # type: ignore[arg-type]
        (body,) = [
            node.body
            for node in module.body
            if isinstance(node, ast.ClassDef) and node.name == owner
        ]
        functions = [
            node
            for node in body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.name == method.__name__
        ]
        *overloads, real = functions
        assert len(overloads) == 3
        assert all(
            [ast.unparse(decorator) for decorator in node.decorator_list] == ["overload"]
            for node in overloads
        )
        stream = str(OPERATIONS[key].stream_argument)
        kinds = []
        for node in overloads:
            own, rest = split(node, stream)
            assert rest == split(real, stream)[1]
            kinds.append((own, ast.unparse(cast("ast.expr", node.returns))))
        answer = str(OPERATIONS[key].response_type)
        prefix = "Async" if owner.startswith("Async") else ""
        events = f"{prefix}Stream[{OPERATIONS[key].event_type}]"
        assert kinds == [
            ("Literal[False] | Unset = UNSET", answer),
            ("Literal[True]", events),
            ("bool", f"{answer} | {events}"),
        ]


def split(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> tuple[str, list[str]]:
    """Text of one keyword argument, and of all others."""
    texts = {
        argument.arg: ast.unparse(cast("ast.expr", argument.annotation))
        + ("" if default is None else f" = {ast.unparse(default)}")
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    }
    own = texts.pop(name)
    return own, [f"{argument}: {text}" for argument, text in texts.items()]
