"""The representation: what the parser read, joined with what only the bundle says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from claude_codegen.ir import (
    Answer,
    OperationNode,
    Representation,
    beta_need,
    build,
    enum_notes,
    version_span,
)
from claude_codegen.load import load_spec
from claude_codegen.lower import UnrepresentableError
from claude_codegen.types import (
    BetaNeed,
    Component,
    EnumNote,
    ListOf,
    Literal,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Scalar,
    Tagged,
    VersionSpan,
    references,
    walk,
)

from .building import PROJECT, STRING, feature, load_small


@cache
def built(name: str) -> Representation:
    return build(feature(name))


def component(name: str, wanted: str) -> Component:
    return built(name).components[wanted]


def operation(name: str, wanted: str) -> OperationNode:
    return next(node for node in built(name).operations if node.id == wanted)


def test_the_counts_are_those_of_the_bundle() -> None:
    bundle = load_spec(PROJECT / "spec" / "openapi.yaml")
    representation = build(bundle)
    assert set(representation.components) == set(bundle.document["components"]["schemas"])
    assert len(representation.operations) == sum(
        len(item) for item in bundle.document["paths"].values()
    )
    for name, part in representation.components.items():
        assert part.sides, f"{name} is on no side"


def test_required_fields_come_first_in_the_order_of_the_spec() -> None:
    fields = component("keyword_names", "Thing").fields
    assert [field.wire_name for field in fields] == [
        *("type", "from", "data"),
        *("class", "decoders", "extra", "field", "max-age", "meta"),
    ]
    assert [field.name for field in fields if field.name != field.wire_name] == [
        *("from_", "class_", "max_age", "meta_"),
    ]


def test_sides_follow_references() -> None:
    assert component("nullable", "Owner").sides == {"response"}
    assert component("nullable", "OwnerParam").sides == {"request"}
    assert component("mixed_union", "Part").sides == {"request", "response"}
    # A parameter counts as a request.
    assert component("parameters", "Sizes").sides == {"request"}


def test_sides_follow_a_map_under_a_name() -> None:
    assert component("maps", "Parts").alias == MapOf(Ref("Part"))
    assert component("maps", "Part").sides == {"response"}


def test_sides_follow_a_property_called_examples(tmp_path: Path) -> None:
    part = {"type": "object", "description": "P.", "properties": {"id": STRING}}
    bundle = load_small(tmp_path, {"examples": {"$ref": "#/Part"}}, {"Part": part})
    assert build(bundle).components["Part"].sides == {"request", "response"}


def test_modules_follow_files() -> None:
    assert component("modules", "Thing").module == "things"
    assert component("modules", "Round").module == "shapes.round.round"


def test_free_form_objects_are_marked() -> None:
    assert component("maps", "FreeForm").free_form
    assert not component("maps", "Thing").free_form
    assert component("maps", "AnythingParam").alias == MapOf(Scalar("any"))
    assert component("maps", "LabelsParam").alias == MapOf(Scalar("str"))


def test_betas_and_versions_are_on_what_needs_them() -> None:
    fields = {
        field.wire_name: field
        for field in component("betas_and_versions", "ThingCreateParams").fields
    }
    flag = "colors-2026-01-01"
    assert fields["color"].beta == BetaNeed((flag,), flag)
    assert fields["heat"].version == VersionSpan(until="2023-06-01")
    assert fields["cold"].version == VersionSpan(since="2026-10-21")
    owner = fields["owner"].beta
    assert owner is not None
    assert owner.via_beta_namespace
    assert fields["mode"].enum_notes["fast"].beta == BetaNeed((flag,), flag)
    assert fields["mode"].enum_notes["slow"].version == VersionSpan(until="2023-06-01")
    assert component("betas_and_versions", "PaintedPartParam").beta == BetaNeed((flag,), flag)


def test_the_forms_of_x_beta() -> None:
    assert beta_need(None) is None
    assert beta_need("a") == BetaNeed(("a",), "a")
    assert beta_need({"any_of": ["a", "b"]}) == BetaNeed(("a", "b"), "a")
    assert beta_need({"any_of": ["a", "b"], "default": "b"}) == BetaNeed(("a", "b"), "b")
    assert beta_need({"any_of": ["a"], "unless_model": ["m"]}) == BetaNeed(("a",), "a", ("m",))
    assert beta_need({"via_beta_namespace": "a"}) == BetaNeed(("a",), "a", (), True)
    assert version_span(None) is None
    notes = {"x-enum": {"a": {"description": "D.", "deprecated": True}}}
    assert enum_notes(notes) == {"a": EnumNote("D.", deprecated=True)}


def test_operations_say_how_calls_behave() -> None:
    node = operation("betas_and_versions", "things.delete")
    assert (node.method, node.path) == ("DELETE", "/v1/things/{thing_id}")
    assert (node.family, node.retry, node.deprecated) == ("things", "safe", True)
    assert node.unavailable_on == ("vertex",)
    assert node.answer == Answer("none")
    assert operation("paging", "things.list").pagination == ("id-cursor", "token-cursor")
    codes = operation("error_codes", "things.create").error_codes
    assert codes == ("thing_broken", "too_many_things")


def test_answers_of_every_kind() -> None:
    made = operation("streaming", "things.create")
    assert made.answer == Answer("json", Ref("Thing"), "ThingEvent")
    assert made.stream_argument == "stream"
    watched = operation("streaming", "events.watch").answer
    assert watched == Answer("sse", Ref("ThingEvent"), "ThingEvent")
    assert operation("streaming", "lines.read").answer == Answer("jsonl", Ref("Thing"))
    assert operation("bodies_and_answers", "files.download").answer == Answer("binary")
    assert operation("paging", "things.list").answer == Answer(
        "json", Ref("ThingList"), None, "Thing"
    )


def test_bodies_of_every_kind() -> None:
    uploaded = operation("bodies_and_answers", "files.upload")
    assert (uploaded.body, uploaded.body_kind) == ("FileUploadParams", "multipart")
    renamed = operation("bodies_and_answers", "files.rename")
    assert (renamed.body, renamed.body_kind, renamed.body_required) == (
        *("FileRenameParams", "json"),
        False,
    )
    assert operation("bodies_and_answers", "files.download").body_kind is None


def test_a_spec_that_says_not_where_the_api_is_is_refused(tmp_path: Path) -> None:
    bundle = load_small(tmp_path, {"x": STRING})
    del bundle.document["servers"]
    with pytest.raises(UnrepresentableError, match="/servers"):
        build(bundle)


def test_types_can_be_walked() -> None:
    union = Tagged("t", (("a", "A"), ("b", "B")), "C", ("A", "B"))
    kind = OneOf((Nullable(ListOf(Ref("D"))), MapOf(union), Literal(("x",))))
    assert list(references(kind)) == ["D", "A", "B", "C"]
    assert Scalar("any") not in walk(kind)
    assert union in walk(kind)
