from __future__ import annotations

import ast
import copy
import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_codegen.lint import RULES, lint, sides
from claude_codegen.load import load_spec
from claude_codegen.naming import OPTION_NAMES

from .lint_cases import CASES, NOTES, PATHS, REQUESTS, Case, Edit, replace_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from claude_codegen.problems import Problem

SAMPLE = Path(__file__).parent / "specs" / "notes"


def edited(folder: Path, edits: tuple[Edit, ...]) -> Path:
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    for name, old, new in edits:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        assert old in text, f"{old!r} is not in {name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")
    return folder / "openapi.yaml"


def problems_of(folder: Path, *edits: Edit) -> list[Problem]:
    return lint(load_spec(edited(folder, edits)))


def line_of(folder: Path, name: str, text: str) -> int:
    content = (folder / name).read_text("utf-8")
    return content[: content.index(text) + len(text)].count("\n") + 1


def test_the_sample_spec_breaks_no_rule(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == []


def test_every_rule_has_a_case() -> None:
    assert [case.rule for case in CASES] == list(RULES)


def test_every_rule_explains_itself() -> None:
    for rule in RULES.values():
        for text in (rule.summary, rule.why):
            assert not text[0].islower() or text.startswith(("x-", "allOf", "exclusive", "attrs"))
            assert text.endswith(".")
        assert rule.fix


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_broken_rule_is_reported_with_its_place(case: Case, tmp_path: Path) -> None:
    found = problems_of(tmp_path, *case.broken)
    name, text = case.where
    place = (name, line_of(tmp_path, name, text))
    assert (case.rule, case.pointer, place) in {
        (problem.rule, problem.pointer, (problem.file, problem.line)) for problem in found
    }, found
    assert {problem.rule for problem in found} <= {case.rule, *case.also}
    assert all(problem.fix and problem.message for problem in found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_near_miss_is_not_reported(case: Case, tmp_path: Path) -> None:
    assert problems_of(tmp_path, *case.fine) == []


# --- what one case per rule leaves open -----------------------------------------------------


def rules_of(folder: Path, *edits: Edit) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in problems_of(folder, *edits):
        found.setdefault(problem.rule, []).append(problem.message)
    return found


def test_a_wrong_shape_is_all_that_is_reported(tmp_path: Path) -> None:
    found = rules_of(
        tmp_path,
        (PATHS, "    operationId: notes_list\n", ""),
        (NOTES, "  oneOf:\n    - $ref: '#/TextPart'", "  oneOf: []\n  x-parts:\n    - $ref: 'a'"),
        (NOTES, "  enum: [red, blue]", "  enum: red"),
    )
    assert set(found) == {"structure"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("      text: '#/TextPart'\n", "", "type: text of TextPart is missing from the mapping"),
        ("text: '#/TextPart'", "text: '#/LinkPart'", "text is mapped to LinkPart, not to TextPart"),
        ("mail: '#/LinkPart'", "mail: '#/TextPart'", "mail is mapped to TextPart, not to LinkPart"),
        ("text: '#/TextPart'", "text: '#/TextPart'\n      words: '#/TextPart'", "TextPart never has the type words"),
        ("text: '#/TextPart'", "text: '#/TextPart'\n      note: '#/Note'", "Note is not a member of the union"),
        ("- $ref: '#/LinkPart'", "- $ref: '#/LinkPart'\n    - $ref: '#/LinkPart'", "LinkPart is a member twice"),
        ("- $ref: '#/LinkPart'", "- $ref: '#/LinkPart'\n    - type: string", "a member is not a reference to an object component"),
        ("- $ref: '#/LinkPart'", "- $ref: '#/LinkPart'\n    - $ref: '#/NoteEvent'", "a member is not a reference to an object component"),
        ("required: [type, text]", "required: [text]", "type of TextPart is optional"),
        ("const: text", "pattern: text", "TextPart does not say which values its type has"),
        ("enum: [link, mail]", "enum: [link, mail]\n      x-open-enum: true", "LinkPart does not say which values its type has"),
        ("    propertyName: type\n    mapping:\n      text", "    propertyName: kind\n    mapping:\n      text", "TextPart does not say which values its kind has"),
        ("    mapping:\n      text", "    x-default-mapping: '#/Note'\n    mapping:\n      text", "the default is not a member of the union"),
    ],
)  # fmt: skip
def test_discriminators_are_complete(old: str, new: str, message: str, tmp_path: Path) -> None:
    found = rules_of(tmp_path, (NOTES, old, new))
    assert message in found["discriminator-mapping-incomplete"]


def test_the_default_member_may_lack_the_tag(tmp_path: Path) -> None:
    edits = (
        (NOTES, "required: [type, text]", "required: [text]"),
        (NOTES, "    mapping:\n      text", "    x-default-mapping: '#/TextPart'\n    mapping:\n      text"),
        (
            NOTES,
            "    type:\n      type: string\n      const: text",
            "    type:\n      oneOf: [{type: string, const: text}, {type: 'null'}]",
        ),
        ("examples/notes_create/streamed.request.json", '"type": "text", ', ""),
        ("examples/notes_create/short.response.json", '"type": "text"', '"type": null'),
    )  # fmt: skip
    assert problems_of(tmp_path, *edits) == []


@pytest.mark.parametrize(
    ("union", "rule"),
    [
        ("oneOf: [{type: integer}, {type: number}]", "union-unrepresentable"),
        ("oneOf: [{type: array, items: {type: string}}, {type: array, items: {type: integer}}]", "union-unrepresentable"),
        ("oneOf: [{type: string}]", "union-unrepresentable"),
        ("oneOf: [{type: string}, {type: 'null'}, {type: 'null'}]", "union-unrepresentable"),
        ("oneOf: [{type: string}, {type: 'null', description: None.}]", "union-unrepresentable"),
        ("oneOf: [{type: [string, 'null']}, {type: 'null'}]", "union-unrepresentable"),
        ("type: string\noneOf: [{type: string}, {type: 'null'}]", "union-unrepresentable"),
        ("oneOf: [{type: string}, {description: Anything.}]", "union-unrepresentable"),
        ("oneOf: [{$ref: notes.yaml#/ContentPart}, {$ref: notes.yaml#/Note}]", "union-without-discriminator"),
        ("oneOf: [{$ref: notes.yaml#/Note}, {type: object, additionalProperties: true}]", "union-without-discriminator"),
        ("oneOf: [{$ref: notes.yaml#/ContentPart}, {type: string}, {type: array, items: {$ref: notes.yaml#/ContentPart}}]", None),
        ("oneOf: [{oneOf: [{type: boolean}, {type: string}]}, {type: 'null'}]", None),
    ],
)  # fmt: skip
def test_variants_of_a_union_differ_in_kind(union: str, rule: str | None, tmp_path: Path) -> None:
    found = rules_of(tmp_path, *replace_size(union))
    assert set(found) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("3", "beta-form"),
        ("{}", "beta-form"),
        ("{any_of: []}", "beta-form"),
        ("{any_of: [colors-2026-01-02], default: colors-2025-01-02}", "beta-form"),
        ("{any_of: [colors-2026-01-02], flag: x}", "beta-form"),
        ("{any_of: [colors-2026-01-02], unless_model: x}", "beta-form"),
        ("{via_beta_namespace: colors-2026-01-02, default: colors-2026-01-02}", "beta-form"),
        ("{via_beta_namespace: colours-2026-01-02}", "beta-unknown"),
        ("{any_of: [colors-2026-01-02, shapes-2026-01-02], default: shapes-2026-01-02}", "selects-shape-derived"),
        ("{any_of: [shapes-2026-01-02]}", "selects-shape-derived"),
        ("{any_of: [colors-2026-01-02, shapes-2026-01-02], default: colors-2026-01-02}", None),
    ],
)  # fmt: skip
def test_forms_of_x_beta(value: str, rule: str | None, tmp_path: Path) -> None:
    found = rules_of(tmp_path, *replace_size(f"type: integer\nx-beta: {value}"))
    assert set(found) == ({rule} if rule else set())


@pytest.mark.parametrize(
    ("parameter", "fine"),
    [
        ("name: tag\nin: query\nschema: {type: array, items: {type: string}}\nstyle: form\nexplode: true", False),
        ("name: tag\nin: cookie\nschema: {type: string}", False),
        ("name: tag\nin: query\nschema: {type: object, additionalProperties: true}", False),
        ("name: tag\nin: header\nschema: {type: array, items: {type: string}}", False),
        ("name: tag\nin: query\nstyle: form\nschema: {type: string}", False),
        ("name: tag\nin: header\nstyle: simple\nexplode: false\nschema: {type: array, items: {type: string}}", True),
        ("name: tag\nin: query\nschema: {type: [integer, 'null']}", True),
    ],
)  # fmt: skip
def test_parameter_styles(parameter: str, fine: bool, tmp_path: Path) -> None:
    text = "".join(f"        {line}\n" for line in parameter.splitlines()).replace(
        "        ", "      - ", 1
    )
    old = "      - name: limit\n"
    found = rules_of(tmp_path, (PATHS, old, f"{text}        description: A tag.\n{old}"))
    assert ("parameter-style" in found) is not fine


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('data: {"type": "note_stop"}', 'data: {"type": "note_stop", "extra": 1}', "Additional properties"),
        ('data: {"type": "note_stop"}', 'data: {"type": "note_over"}', "has data of type 'note_over'"),
        ('data: {"type": "note_stop"}', "data: {", "the data is not JSON"),
        ("event: note_stop", "event: note_over", "the event 'note_over'"),
        ("event: note_stop", "name: note_stop", "'name' is no field of an event"),
        ('data: {"type": "note_stop"}\n\n', 'data: {"type": "note_stop"}\n', "does not end in an empty line"),
    ],
)  # fmt: skip
def test_events_of_examples_are_checked(old: str, new: str, message: str, tmp_path: Path) -> None:
    name = "examples/notes_create/streamed.sse"
    found = problems_of(tmp_path, (name, old, new))
    assert {problem.rule for problem in found} == {"example-invalid"}
    assert any(message in problem.message and problem.line >= 7 for problem in found), found
    assert {problem.file for problem in found} == {name}


def test_events_with_comments_and_split_data_are_fine(tmp_path: Path) -> None:
    edit = (
        "examples/notes_create/streamed.sse",
        'data: {"type": "note_stop"}',
        ': a comment\nid: 7\ndata: {"type":\ndata: "note_stop"}',
    )
    assert problems_of(tmp_path, edit) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('"type": "note"', '"type": "n0te"', "/type"),
        ('"2026-10-21T10:00:00Z"', '"yesterday"', "/created_at"),
        ('"2026-10-21T10:00:00Z"', '"2026-10-21T10:00:00"', "/created_at"),
        ('"color": null', '"color": "green"', "/color"),
        ('"color": null', '"colour": null', ""),
        ('{"type": "text", "text": "Hello"}', '{"type": "texts", "text": "Hello"}', "/content/0/type"),
        ('{"type": "text", "text": "Hello"}', '{"type": "text"}', "/content/0"),
    ],
)  # fmt: skip
def test_the_failing_part_of_an_example_is_named(
    old: str, new: str, path: str, tmp_path: Path
) -> None:
    name = "examples/notes_create/short.response.json"
    found = problems_of(tmp_path, (name, old, new))
    assert {problem.rule for problem in found} == {"example-invalid"}
    assert any(problem.pointer.endswith(f"/examples/short/value{path}") for problem in found), found
    if path:
        assert line_of(tmp_path, name, new) in {problem.line for problem in found}


def test_open_enums_take_other_values_in_examples(tmp_path: Path) -> None:
    edits = (
        ("examples/notes_create/short.request.json", '"red"', '"green"'),
        (NOTES, "  enum: [red, blue]", "  enum: [red, blue]\n  x-open-enum: true"),
    )
    assert problems_of(tmp_path, *edits) == []


def test_sides_follow_references_from_both_ends() -> None:
    found = sides(load_spec(SAMPLE / "openapi.yaml").document)
    assert found["NoteCreateParams"] == {"request"}
    assert found["AnthropicBeta"] == {"request"}
    assert found["Color"] == found["ContentPart"] == found["LinkPart"] == {"request", "response"}
    assert found["Note"] == found["NoteStop"] == found["ErrorDetails"] == {"response"}


def test_a_reference_inside_an_example_is_data(tmp_path: Path) -> None:
    edits = (
        (REQUESTS, "      additionalProperties:\n        type: string\n", "      additionalProperties: true\n"),
        ("examples/notes_create/short.request.json", '"red"', '"red", "labels": {"$ref": "#/nowhere"}'),
    )  # fmt: skip
    assert problems_of(tmp_path, *edits) == []


# Whatever stands anywhere in a document, lint answers with findings and never with a traceback.

_DOCUMENT = load_spec(SAMPLE / "openapi.yaml")
_INTRUDERS: list[Any] = [
    None,
    True,
    3,
    -1.5,
    "x",
    "",
    [],
    {},
    ["x"],
    [{}],
    [[1]],
    {"a": {}},
    {"a": "b"},
    {"$ref": 3},
    {"$ref": "#/components/schemas/Note"},
    {"$ref": "#/components/schemas/Nobody"},
    {"$ref": "#/components/responses/BadRequest"},
]


def _paths(value: Any) -> Iterator[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in entries:
        yield (key,)
        if isinstance(item, dict | list):
            yield from ((key, *rest) for rest in _paths(item))


_ALL_PATHS = list(_paths(_DOCUMENT.document))


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(_ALL_PATHS), intruder=st.sampled_from(_INTRUDERS), drop=st.booleans())
def test_lint_survives_anything(path: tuple[str | int, ...], intruder: Any, drop: bool) -> None:
    document = copy.deepcopy(_DOCUMENT.document)
    node: Any = document
    for step in path[:-1]:
        node = node[step]
    if drop:
        del node[path[-1]]
    else:
        node[path[-1]] = copy.deepcopy(intruder)
    for problem in lint(dataclasses.replace(_DOCUMENT, document=document)):
        assert problem.rule in RULES
        assert problem.render()


@pytest.mark.parametrize("name", ["self", "options", "arguments", "result", "derive_betas"])
def test_arguments_leave_the_names_of_methods_alone(name: str, tmp_path: Path) -> None:
    edit = (PATHS, "x-python-name: color", f"x-python-name: {name}")
    found = rules_of(tmp_path, edit)
    assert set(found) <= {"argument-name-collision", "parameter-name-invalid"}
    assert found


def test_the_options_are_those_of_the_runtime() -> None:
    module = Path(lint.__globals__["__file__"]).parents[1] / "runtime" / "caller.py"
    names = {
        node.name: {part.target.id for part in node.body if isinstance(part, ast.AnnAssign)}  # type: ignore[union-attr]
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert names["RequestOptions"] == {"workspace_id"}
    options = names["CallOptions"] | names["OptionsBesideWorkspace"] | {"workspace_id"}
    assert options == OPTION_NAMES


@pytest.mark.parametrize("header", [False, True])
def test_a_workspace_can_be_an_argument_where_the_header_is_none(
    header: bool, tmp_path: Path
) -> None:
    edit = (PATHS, "x-python-name: color", "x-python-name: workspace_id")
    limit = "      - name: limit\n        in: query\n        description: Notes per page."
    workspace = (
        "      - name: anthropic-workspace-id\n        in: header\n        description: Where to act."
        "\n        x-python-name: workspace_id\n        schema:\n          type: string\n"
    )
    edits = [edit, (PATHS, limit, workspace + limit)] if header else [edit]
    found = rules_of(tmp_path, *edits)
    assert set(found) == ({"argument-name-collision"} if header else set())


def test_names_differ_in_more_than_underscores(tmp_path: Path) -> None:
    found = rules_of(
        tmp_path,
        (NOTES, "TextPart:\n", "Link_Part:\n  description: A link.\n  type: string\nTextPart:\n"),
        *replace_size("$ref: notes.yaml#/Link_Part"),
    )
    (message,) = found["module-collision"]
    assert "LinkPart" in message
    assert "Link_Part" in message


def test_resources_become_modules_of_their_own(tmp_path: Path) -> None:
    edits = [
        (PATHS, "x-resource: notes\n    x-method: create", "x-resource: a.b\n    x-method: create"),
        (PATHS, "x-resource: notes\n    x-method: list", "x-resource: a_b\n    x-method: list"),
    ]
    found = rules_of(tmp_path, *edits)
    assert found == {"generated-module-collision": ["the resources a.b and a_b become one module"]}


def test_items_of_a_page_are_a_component(tmp_path: Path) -> None:
    found = rules_of(
        tmp_path,
        (NOTES, "      items:\n        $ref: '#/Note'", "      items:\n        type: string"),
    )
    assert "the items of data are not a component" in found["pagination-style-unknown"]


BETA_LINK = (NOTES, "LinkPart:\n", "LinkPart:\n  x-beta: colors-2026-01-02\n")
INLINE_UNION = """oneOf: [{$ref: notes.yaml#/LinkPart}, {type: 'null'}]
discriminator:
  propertyName: type
  mapping: {link: notes.yaml#/LinkPart, mail: notes.yaml#/LinkPart}"""


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (INLINE_UNION, "LinkPart in an unnamed union needs a flag or a version"),
        (
            "type: object\nadditionalProperties:\n  type: array\n  items: {$ref: notes.yaml#/LinkPart}",
            "LinkPart in a list of lists needs a flag or a version",
        ),
        (
            "type: array\nitems: {type: string, x-beta: colors-2026-01-02}",
            "x-beta inside a schema has no effect",
        ),
        (
            "oneOf: [{type: string, x-api-version: {until: '2023-06-01'}}, {type: 'null'}]",
            "x-api-version inside a schema has no effect",
        ),
        (
            "oneOf: [{type: integer}, {type: string, enum: [a], x-enum: {a: {x-beta: colors-2026-01-02}}}]",
            "the values of this enum are not looked at here",
        ),
    ],
)
def test_what_no_rule_can_find(size: str, message: str, tmp_path: Path) -> None:
    found = rules_of(tmp_path, BETA_LINK, *replace_size(size))
    assert message in found["beta-unreachable"]


@pytest.mark.parametrize(
    "size",
    [
        "oneOf: [{type: string, enum: [a], x-enum: {a: {x-beta: colors-2026-01-02}}}, {type: 'null'}]",
        "type: array\nitems: {type: string, enum: [a], x-enum: {a: {x-beta: colors-2026-01-02}}}",
        "oneOf: [{$ref: notes.yaml#/LinkPart}, {type: string}]",
        "type: object\nadditionalProperties: {$ref: notes.yaml#/LinkPart}",
    ],
)
def test_what_rules_find(size: str, tmp_path: Path) -> None:
    assert rules_of(tmp_path, BETA_LINK, *replace_size(size)) == {}


def test_a_beta_component_is_an_object(tmp_path: Path) -> None:
    edit = (NOTES, "Color:\n", "Color:\n  x-beta: colors-2026-01-02\n")
    found = rules_of(tmp_path, edit)
    assert found["beta-unreachable"] == ["Color is neither an object nor a union of objects"]


def test_a_form_is_no_json(tmp_path: Path) -> None:
    files = (
        "Attachment:\n  type: object\n  description: A file.\n  properties:\n    file:\n"
        "      type: string\n      format: binary\n      description: The file.\n"
    )
    operation = (
        "    requestBody:\n      content:\n        multipart/form-data:\n          schema:\n"
        "            $ref: ../schemas/notes/requests.yaml#/Attachment\n    x-max-bytes: 5\n"
    )
    retrieve = "    operationId: notes_retrieve\n"
    found = rules_of(
        tmp_path,
        (REQUESTS, "", files),
        (PATHS, retrieve, retrieve + operation),
        *replace_size("$ref: '#/Attachment'"),
    )
    assert found["file-misplaced"] == ["Attachment is a form, and stands where none can be"]


def test_the_first_step_of_a_place_may_be_the_last(tmp_path: Path) -> None:
    found = rules_of(
        tmp_path,
        (
            REQUESTS,
            "    content:\n",
            "    content:\n      x-api-version-within:\n        link: {until: '2023-06-01'}\n"
            "        video: {until: '2023-06-01'}\n",
        ),
    )
    assert found["api-version-place-unknown"] == ["video is neither a tag nor a property there"]


WEBHOOK = """webhooks:
  written:
    post:
      description: A note was written.
      parameters:
        - name: webhook-id
          in: header
          required: true
          description: Which event.
          schema:
            type: string
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: schemas/notes/lost.yaml#/Lost
      responses:
        '2XX':
          description: Taken.
"""
LOST = "Lost:\n  type: object\n  description: An event.\n  required: []\n  properties:\n    id:\n      type: string\n"


def test_what_webhooks_bring_is_used_and_read_as_answers_are(tmp_path: Path) -> None:
    edits: tuple[Edit, ...] = (
        ("openapi.yaml", "", WEBHOOK),
        ("schemas/notes/lost.yaml", "", LOST),
    )
    bundle = load_spec(edited(tmp_path, edits))
    assert lint(bundle) == []
    assert sides(bundle.document)["Lost"] == {"response"}


def test_a_webhook_says_what_it_is(tmp_path: Path) -> None:
    text = WEBHOOK.replace("      description: A note was written.\n", "", 1)
    found = problems_of(tmp_path, ("openapi.yaml", "", text), ("schemas/notes/lost.yaml", "", LOST))
    assert [(problem.rule, problem.pointer) for problem in found] == [
        ("description-missing", "/webhooks/written/post")
    ]
