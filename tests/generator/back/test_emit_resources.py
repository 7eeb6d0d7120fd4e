"""Resources: the methods people call, sync and async, and the clients they hang on."""

from __future__ import annotations

import asyncio
import inspect
import sys
from types import ModuleType
from typing import Any

import pytest

from claude_codegen.emit.resources import resource_tree
from claude_codegen.ir import build

from .building import feature, text_of
from .conftest import Installer


class Recorder:
    """A caller that answers with what it was asked."""

    def call(self, *asked: Any) -> Any:
        return ("call", *asked)

    def stream(self, *asked: Any) -> Any:
        return ("stream", *asked)

    def paginate(self, *asked: Any) -> Any:
        return ("paginate", *asked)


class AsyncRecorder(Recorder):
    async def call(self, *asked: Any) -> Any:
        return ("call", *asked)

    async def stream(self, *asked: Any) -> Any:
        return ("stream", *asked)


def module_of(package: ModuleType, name: str) -> Any:
    return sys.modules[f"{package.__name__}.{name}"]


def test_a_method_hands_its_arguments_over(installed: Installer) -> None:
    package = installed(feature("keyword_names"))
    things = module_of(package, "resources.things").Things(Recorder())
    kind, operation, arguments, options, via_beta = things.create(
        type="thing", from_="here", max_age=3, timeout=5
    )
    assert (kind, operation.id) == ("call", "things.create")
    assert options == {"timeout": 5}
    assert via_beta is False
    given = {name: value for name, value in arguments.items() if value is not package.UNSET}
    assert given == {"type": "thing", "from_": "here", "max_age": 3}
    assert set(arguments) - {"type", "from_"} == {
        *("class_", "data", "decoders", "extra", "field", "max_age", "meta_"),
    }


def test_path_parameters_are_positional_and_the_rest_by_name(installed: Installer) -> None:
    package = installed(feature("parameters"))
    resources = module_of(package, "resources.things")
    for owner in (resources.Things, resources.AsyncThings):
        parameters = inspect.signature(owner.retrieve).parameters.values()
        kinds = {parameter.name: parameter.kind.name for parameter in parameters}
        assert [name for name, kind in kinds.items() if kind == "POSITIONAL_OR_KEYWORD"] == [
            *("self", "thing_id", "part"),
        ]
        assert kinds["deep"] == "KEYWORD_ONLY"
        assert kinds["options"] == "VAR_KEYWORD"
    with pytest.raises(TypeError, match="deep"):
        resources.Things(Recorder()).retrieve("t", 1)


def test_paging_is_not_awaited_before_it_is_iterated(installed: Installer) -> None:
    resources = module_of(installed(feature("paging")), "resources.things")
    asked = resources.Things(Recorder()).list(limit=3)
    assert asked[0] == "paginate"
    assert asked[2]["limit"] == 3
    assert not inspect.iscoroutinefunction(resources.AsyncThings.list)
    assert resources.AsyncThings(AsyncRecorder()).list()[0] == "paginate"
    assert "-> AsyncPaginator[Thing]:" in text_of("paging", "resources/things.py")


def test_the_stream_argument_decides_between_answer_and_stream(installed: Installer) -> None:
    package = installed(feature("streaming"))
    resources = module_of(package, "resources.things")
    things = resources.Things(Recorder())
    assert things.create(name="n")[0] == "call"
    assert things.create(name="n", stream=False)[0] == "call"
    kind, _, arguments, *_ = things.create(name="n", stream=True)
    assert (kind, arguments["stream"]) == ("stream", True)
    asynchronous = resources.AsyncThings(AsyncRecorder(), via_beta=True)
    assert asyncio.run(asynchronous.create(name="n", stream=True))[0] == "stream"
    assert asyncio.run(asynchronous.create(name="n"))[-1] is True
    lines = module_of(package, "resources.lines").Lines(Recorder())
    assert lines.read()[0] == "call"
    assert module_of(package, "resources.events").Events(Recorder()).watch()[0] == "stream"


def test_answers_without_json(installed: Installer) -> None:
    package = installed(feature("bodies_and_answers"))
    files = module_of(package, "resources.files").Files(Recorder())
    assert files.delete("f") is None
    kind, operation, arguments, *_ = files.upload(file=b"x")
    assert (kind, operation.body, arguments["file"]) == ("call", "multipart", b"x")
    text = text_of("bodies_and_answers", "resources/files.py")
    assert ") -> BinaryResponse:" in text
    assert ") -> AsyncBinaryResponse:" in text
    assert "file: FileInput," in text
    # Nothing of an optional body is required.
    assert "name: str | Unset = UNSET" in text


def test_resources_below_resources(installed: Installer) -> None:
    package = installed(feature("nested_resources"))
    client = package.Client(api_key="k")
    legs = client.things.parts.legs
    assert type(legs).__name__ == "Legs"
    assert type(client.beta.things.parts.legs).__name__ == "Legs"
    assert client.beta.things.parts.legs._via_beta
    assert not legs._via_beta
    assert type(package.AsyncClient(api_key="k").things.parts).__name__ == "AsyncParts"
    tree = resource_tree(build(feature("nested_resources")))
    assert list(tree) == ["shops", "things", "things.parts", "things.parts.legs"]
    assert tree["things.parts"].operations == ()
    assert tree["things.parts"].children == ("things.parts.legs",)
    assert tree["things.parts.legs"].module == "things_parts_legs"


def test_a_type_of_both_sides_is_a_dict_going_out_and_a_model_coming_back() -> None:
    text = text_of("nested_resources", "resources/shops.py")
    assert "thing: params.Thing," in text
    assert ") -> Thing:" in text
    assert "from ..models.things import Thing\n" in text
    assert "from .. import params\n" in text


def test_docstrings_say_what_each_argument_is() -> None:
    text = text_of("betas_and_versions", "resources/things.py")
    assert "            color: Its colour. Beta.\n" in text
    text = text_of("prose", "resources/things.py")
    assert '"""Make "things".\n' in text
    assert 'Ends in a quote: "here"\n' in text


def test_clients_have_every_root(installed: Installer) -> None:
    package = installed(feature("streaming"))
    assert {"things", "events", "lines", "beta"} <= set(dir(package.Client))
    assert package.__all__ == ["UNSET", "AsyncClient", "Client", "Struct", "Unknown", "Unset"]
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing
