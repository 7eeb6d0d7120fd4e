from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_codegen.load import LOAD_RULES, Bundle, load_spec
from claude_codegen.problems import SpecError
from claude_codegen.source import dump_yaml, find_in_json, parse_json, split_pointer

SAMPLE = Path(__file__).parent / "specs" / "notes"

ENTRY = "openapi: 3.1.0\ninfo:\n  title: T\n  version: '1'\npaths: {}\n"


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in {"openapi.yaml": ENTRY, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "openapi.yaml"


def load(folder: Path, files: dict[str, str | bytes]) -> Bundle:
    return load_spec(write(folder, files))


def problems(folder: Path, files: dict[str, str | bytes]) -> list[tuple[str, str, int]]:
    with pytest.raises(SpecError) as caught:
        load(folder, files)
    assert all(problem.rule in LOAD_RULES for problem in caught.value.problems)
    return [(problem.rule, problem.file, problem.line) for problem in caught.value.problems]


def schemas(text: str) -> dict[str, str | bytes]:
    return {"schemas/a.yaml": text}


# --- YAML -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("12345678901234567890123", 12345678901234567890123),
        ("abc", "abc"),
        ("'yes'", "yes"),
        ('"2023-06-01"', "2023-06-01"),
        ("'012'", "012"),
        ("context-2023-06-01", "context-2023-06-01"),
        ("y", "y"),
        ("|\n    two\n    lines", "two\nlines\n"),
        (">-\n    two\n    words", "two words"),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: Any, tmp_path: Path) -> None:
    bundle = load(tmp_path, schemas(f"A:\n  const: {text}\n"))
    read = bundle.document["components"]["schemas"]["A"]["const"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("yes", "yaml-ambiguous"),
        ("No", "yaml-ambiguous"),
        ("on", "yaml-ambiguous"),
        ("OFF", "yaml-ambiguous"),
        ("2023-06-01", "yaml-ambiguous"),
        ("2023-06-01T10:00:00Z", "yaml-ambiguous"),
        ("012", "yaml-ambiguous"),
        ("08", "yaml-ambiguous"),
        ("0o17", "yaml-ambiguous"),
        ("0b11", "yaml-ambiguous"),
        ("1_000", "yaml-ambiguous"),
        ("12:30", "yaml-ambiguous"),
        ("1e3", "yaml-ambiguous"),
        ("=", "yaml-ambiguous"),
        ("", "yaml-empty-value"),
        (".inf", "yaml-not-json"),
        ("-.INF", "yaml-not-json"),
        (".nan", "yaml-not-json"),
        ("1.0e+999", "yaml-not-json"),
        ("!!str 12", "yaml-unsupported"),
        ("!custom x", "yaml-unsupported"),
        ("!!binary aGVsbG8=", "yaml-unsupported"),
        ("!!python/object/apply:os.system ['true']", "yaml-unsupported"),
        ("!!set {a: null}", "yaml-unsupported"),
        ("[a", "yaml-syntax"),
        ("'a", "yaml-syntax"),
        ("a: b: c", "yaml-syntax"),
        ("@a", "yaml-syntax"),
        ("\x01", "yaml-syntax"),
    ],
)
def test_what_readers_disagree_on_is_refused(text: str, rule: str, tmp_path: Path) -> None:
    found = problems(tmp_path, schemas(f"A:\n  type: string\n  const: {text}\n"))
    assert (rule, "schemas/a.yaml") in {(name, file) for name, file, _ in found}
    assert all(line in (3, 4) for _, _, line in found)


def test_each_key_that_is_no_string_is_reported(tmp_path: Path) -> None:
    found = problems(
        tmp_path, schemas("A:\n  properties:\n    200: {}\n    true: {}\n    ? [a]\n    : {}\n")
    )
    assert found == [("yaml-key-not-string", "schemas/a.yaml", line) for line in (3, 4, 5)]


def test_a_key_that_readers_disagree_on_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, schemas("A:\n  properties:\n    on: {}\n")) == [
        ("yaml-ambiguous", "schemas/a.yaml", 3)
    ]


def test_a_repeated_key_names_the_first_place(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, schemas("A:\n  type: string\n  description: x\n  'type': integer\n"))
    (problem,) = caught.value.problems
    assert (problem.rule, problem.line, problem.column) == ("yaml-duplicate-key", 4, 3)
    assert "line 2" in problem.message


def test_aliases_and_merge_keys_are_refused(tmp_path: Path) -> None:
    text = "A: &a\n  type: string\nB: *a\nC:\n  <<: *a\n"
    found = problems(tmp_path, schemas(text))
    assert ("yaml-unsupported", "schemas/a.yaml", 3) in found
    assert ("yaml-unsupported", "schemas/a.yaml", 5) in found


def test_an_alias_of_itself_ends(tmp_path: Path) -> None:
    assert problems(tmp_path, schemas("A: &a\n  b: *a\n")) == [
        ("yaml-unsupported", "schemas/a.yaml", 2)
    ]


def test_a_billion_laughs_are_not_told(tmp_path: Path) -> None:
    rows = ["A0: &a0 [x, x]"]
    rows += [f"A{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    found = problems(tmp_path, schemas("\n".join(rows) + "\n"))
    assert {rule for rule, _, _ in found} == {"yaml-unsupported"}


def test_a_second_document_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, schemas("A: {}\n---\nB: {}\n")) == [
        ("yaml-unsupported", "schemas/a.yaml", 2)
    ]


def test_a_tab_is_reported_with_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, schemas("A:\n\ttype: string\n")) == [
        ("yaml-syntax", "schemas/a.yaml", 2)
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "text\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    assert problems(tmp_path, schemas(text)) == [("file-unreadable", "schemas/a.yaml", 1)]


@pytest.mark.parametrize("text", ["[" * 100_000, "A: " + "{a: " * 50_000, "- " * 100_000 + "a"])
def test_a_deep_file_is_refused(text: str, tmp_path: Path) -> None:
    found = problems(tmp_path, schemas(text))
    assert [rule for rule, _, _ in found] == ["yaml-syntax"]


def test_a_file_with_many_brackets_need_not_be_deep(tmp_path: Path) -> None:
    values = "\n".join(f"    - [a, {{b: [c{number}]}}]" for number in range(500))
    bundle = load(tmp_path, schemas(f"A:\n  enum:\n{values}\n"))
    assert len(bundle.document["components"]["schemas"]["A"]["enum"]) == 500


def test_bytes_that_are_not_utf_8_are_reported_with_their_line(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"schemas/a.yaml": b"A:\n  description: caf\xe9\n"}
    assert problems(tmp_path, files) == [("file-unreadable", "schemas/a.yaml", 2)]


def test_line_ends_and_byte_order_marks_make_no_difference(tmp_path: Path) -> None:
    text = "A:\n  type: object\n  description: |\n    Two\n    lines.\n  properties: {}\n"
    unix = load(tmp_path / "unix", schemas(text))
    windows: dict[str, str | bytes] = {
        "schemas/a.yaml": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        "openapi.yaml": ENTRY.replace("\n", "\r\n"),
    }
    assert load(tmp_path / "windows", windows) == Bundle(
        unix.document,
        unix.locations,
        unix.component_files,
        {
            "openapi.yaml": ENTRY.replace("\n", "\r\n").encode(),
            "schemas/a.yaml": windows["schemas/a.yaml"],
        },  # type: ignore[dict-item]
        (),
        {},
        {},
        tmp_path / "windows",
    )


def test_all_problems_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        {
            "schemas/a.yaml": "A:\n  const: yes\n  type: string\n  type: string\n",
            "schemas/b.yaml": "A:\n  $ref: c.yaml#/C\n",
            "parameters.yaml": "P: [\n",
        },
    )
    assert {rule for rule, _, _ in found} == {
        "yaml-ambiguous",
        "yaml-duplicate-key",
        "yaml-syntax",
        "component-name-clash",
    }


# --- references -----------------------------------------------------------------------------


def test_references_become_local(tmp_path: Path) -> None:
    bundle = load(
        tmp_path,
        {
            "openapi.yaml": ENTRY.replace("{}", "\n  /a:\n    $ref: paths/a.yaml#/a"),
            "paths/a.yaml": (
                "a:\n  get:\n    parameters:\n      - $ref: ../parameters.yaml#/P\n"
                "    responses:\n      '400':\n        $ref: ../responses.yaml#/R\n"
            ),
            "parameters.yaml": "P:\n  schema:\n    $ref: schemas/x/a.yaml#/A\n",
            "responses.yaml": "R:\n  headers:\n    h:\n      $ref: response_headers.yaml#/H\n",
            "response_headers.yaml": "H:\n  schema:\n    $ref: './schemas/x/../b.yaml#/B'\n",
            "schemas/x/a.yaml": (
                "A:\n  oneOf:\n    - $ref: ../b.yaml#/B\n    - $ref: '#/A'\n"
                "  discriminator:\n    mapping:\n      b: ../b.yaml#/B\n      a: A\n"
                "    x-default-mapping: '#/A'\n"
            ),
            "schemas/b.yaml": "B:\n  items:\n    $ref: x/a.yaml#/A\n",
        },
    )
    components = bundle.document["components"]
    operation = bundle.document["paths"]["/a"]["get"]
    a, b = "#/components/schemas/A", "#/components/schemas/B"
    assert operation["parameters"] == [{"$ref": "#/components/parameters/P"}]
    assert operation["responses"] == {"400": {"$ref": "#/components/responses/R"}}
    assert components["parameters"]["P"]["schema"] == {"$ref": a}
    assert components["responses"]["R"]["headers"]["h"] == {"$ref": "#/components/headers/H"}
    assert components["headers"]["H"]["schema"] == {"$ref": b}
    assert components["schemas"]["B"]["items"] == {"$ref": a}
    assert components["schemas"]["A"] == {
        "oneOf": [{"$ref": b}, {"$ref": a}],
        "discriminator": {"mapping": {"a": a, "b": b}, "x-default-mapping": a},
    }
    assert bundle.component_files == {"A": "x/a", "B": "b"}
    assert list(bundle.sources) == sorted(bundle.sources)


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("b.yaml#/B", "ref-missing"),
        ("A.yaml#/A", "ref-missing"),
        ("a.yaml#/B", "ref-missing"),
        ("'#/Nobody'", "ref-missing"),
        ("a.yaml", "ref-form"),
        ("'#/A/properties/b'", "ref-form"),
        ("'#A'", "ref-form"),
        ("''", "ref-form"),
        ("../paths/p.yaml#/p", "ref-form"),
        ("[a]", "ref-form"),
        ("../../outside.yaml#/A", "ref-outside-spec"),
        ("/etc/passwd", "ref-outside-spec"),
        ("'..\\outside.yaml'", "ref-outside-spec"),
        ("../%2e%2e/outside.yaml", "ref-outside-spec"),
        ("https://example.com/a.yaml#/A", "ref-remote"),
        ("file:///etc/passwd", "ref-remote"),
        ("//example.com/a.yaml", "ref-remote"),
    ],
)
def test_a_reference_that_leads_nowhere_names_its_own_place(
    reference: str, rule: str, tmp_path: Path
) -> None:
    (tmp_path / "outside.yaml").write_text("A: {}\n")
    files: dict[str, str | bytes] = {
        "schemas/a.yaml": f"A:\n  properties:\n    b:\n      $ref: {reference}\n",
        "paths/p.yaml": "p: {}\n",
    }
    assert problems(tmp_path / "spec", files) == [(rule, "schemas/a.yaml", 4)]


def test_a_link_out_of_the_spec_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("B: {}\n")
    entry = write(tmp_path / "spec", schemas("A:\n  $ref: b.yaml#/B\n"))
    (tmp_path / "spec" / "schemas" / "b.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(SpecError) as caught:
        load_spec(entry)
    assert [problem.rule for problem in caught.value.problems] == ["ref-missing"]


def test_two_components_of_one_name_clash(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "schemas/a.yaml": "A: {}\n",
        "schemas/b/a.yaml": "B: {}\nA: {}\n",
    }
    with pytest.raises(SpecError) as caught:
        load(tmp_path, files)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.file, problem.line) == (
        "component-name-clash",
        "schemas/b/a.yaml",
        2,
    )
    assert "schemas/a.yaml:1" in problem.message
    assert problem.pointer == "/components/schemas/A"


def test_components_may_be_listed_in_the_entry_document(tmp_path: Path) -> None:
    entry = ENTRY + "components:\n  schemas:\n    A:\n      $ref: schemas/a.yaml#/A\n"
    bundle = load(tmp_path, {"openapi.yaml": entry, **schemas("A:\n  type: string\n")})
    assert bundle.document["components"]["schemas"] == {"A": {"type": "string"}}


def test_path_items_may_refer_on_but_not_in_circles(tmp_path: Path) -> None:
    entry = ENTRY.replace("{}", "\n  /a:\n    $ref: paths/a.yaml#/a")
    fine: dict[str, str | bytes] = {
        "openapi.yaml": entry,
        "paths/a.yaml": "a:\n  $ref: b.yaml#/b\n",
        "paths/b.yaml": "b:\n  get: {}\nc:\n  get: {}\n",
    }
    bundle = load(tmp_path / "fine", fine)
    assert bundle.document["paths"] == {"/a": {"get": {}}}
    assert str(bundle.locations["/paths/~1a/get"]) == "paths/b.yaml:2:3"
    assert list(bundle.unreferenced) == ["paths/b.yaml#/c"]
    circle: dict[str, str | bytes] = {"openapi.yaml": entry, "paths/a.yaml": "a:\n  $ref: '#/a'\n"}
    assert problems(tmp_path / "circle", circle) == [("ref-missing", "paths/a.yaml", 1)]


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("$ref: paths/a.yaml#/b", "ref-missing"),
        ("$ref: paths/a.yaml", "ref-missing"),
        ("$ref: paths/b.yaml#/a", "ref-missing"),
        ("$ref: 3", "ref-form"),
        ("$ref: paths/a.yaml#/a\n    get: {}", "ref-form"),
    ],
)
def test_a_path_item_that_is_not_there(item: str, rule: str, tmp_path: Path) -> None:
    entry = ENTRY.replace("{}", f"\n  /a:\n    {item}")
    found = problems(tmp_path, {"openapi.yaml": entry, "paths/a.yaml": "a: {}\n"})
    assert [name for name, _, _ in found] == [rule]
    assert found[0][1] == "openapi.yaml"
    assert found[0][2] in (7, 8)


def test_data_is_not_taken_for_references(tmp_path: Path) -> None:
    text = (
        "A:\n  properties:\n    $ref:\n      type: string\n    const:\n      $ref: '#/B'\n"
        "  const: {$ref: x}\n  enum: [{$ref: y}]\n  examples: [{$ref: z}]\n  x-any: {$ref: w}\n"
        "B: {}\n"
    )
    a = load(tmp_path, schemas(text)).document["components"]["schemas"]["A"]
    assert a["properties"]["$ref"] == {"type": "string"}
    assert a["properties"]["const"] == {"$ref": "#/components/schemas/B"}
    assert [a["const"], *a["enum"], *a["examples"], a["x-any"]] == [
        {"$ref": name} for name in "xyzw"
    ]


# --- examples -------------------------------------------------------------------------------


def _with_example(name: str, extra: str = "") -> dict[str, str | bytes]:
    return {
        "openapi.yaml": ENTRY.replace("{}", "\n  /a:\n    $ref: paths/a.yaml#/a"),
        "paths/a.yaml": (
            "a:\n  get:\n    responses:\n      '200':\n        content:\n"
            "          text/plain:\n            examples:\n              one:\n"
            f"                externalValue: {name}\n{extra}"
        ),
    }


AT = "/paths/~1a/get/responses/200/content/text~1plain/examples/one"


def test_examples_are_inlined(tmp_path: Path) -> None:
    json_file: dict[str, str | bytes] = {
        "examples/a.json": b'\xef\xbb\xbf{"b": 1,\r\n "a": [{"$ref": "x"}]}'
    }
    bundle = load(tmp_path / "json", {**_with_example("../examples/a.json"), **json_file})
    example = bundle.document["paths"]["/a"]["get"]["responses"]["200"]["content"]["text/plain"]
    assert example == {"examples": {"one": {"value": {"a": [{"$ref": "x"}], "b": 1}}}}
    assert list(example["examples"]["one"]["value"]) == ["a", "b"]
    assert bundle.examples == {AT: "examples/a.json"}
    assert bundle.sources["examples/a.json"] == json_file["examples/a.json"]
    text_file: dict[str, str | bytes] = {
        "examples/a.sse": "data: 1\r\n\r\n",
        "examples/b.json": "{",
    }
    bundle = load(tmp_path / "text", {**_with_example("../examples/a.sse"), **text_file})
    example = bundle.document["paths"]["/a"]["get"]["responses"]["200"]["content"]["text/plain"]
    assert example == {"examples": {"one": {"value": "data: 1\n\n"}}}
    assert bundle.example_files == ("examples/a.sse", "examples/b.json")
    assert "examples/b.json" not in bundle.sources


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{\n  'a': 1\n}", 2),
        ('{"a": 1, "a": 2}', 1),
        ('{"a": NaN}', 1),
        ('{"a": 1e999}', 1),
        ('{"a": "\\ud800"}', 1),
        ('{"a": 1}\n{"a": 2}', 2),
        ("[" * 100_000, 1),
        ("", 1),
        (b'{"a": "\xff"}', 1),
    ],
)
def test_an_example_is_strict_json(content: str | bytes, line: int, tmp_path: Path) -> None:
    files = {**_with_example("../examples/a.json"), "examples/a.json": content}
    assert problems(tmp_path, files) == [("example-unreadable", "examples/a.json", line)]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("../examples/b.json", "ref-missing"),
        ("../../a.json", "ref-outside-spec"),
        ("https://example.com/a.json", "ref-remote"),
        ("3", "ref-form"),
    ],
)
def test_an_example_that_is_not_there(name: str, rule: str, tmp_path: Path) -> None:
    files = {**_with_example(name), "examples/a.json": "{}"}
    assert problems(tmp_path, files) == [(rule, "paths/a.yaml", 9)]


def test_value_beside_external_value_is_refused(tmp_path: Path) -> None:
    files = _with_example("../examples/a.json", "                value: 3\n")
    assert problems(tmp_path, {**files, "examples/a.json": "{}"}) == [
        ("ref-form", "paths/a.yaml", 10)
    ]


def test_places_in_json_are_found() -> None:
    text = '{\n  "a": [1, {"b": "x, ]}"},\n    {"c": 2}],\n  "d" : 3\n}'
    assert find_in_json(text, []) == (1, 1)
    assert find_in_json(text, ["a", 1, "b"]) == (2, 18)
    assert find_in_json(text, ["a", 2, "c"]) == (3, 11)
    assert find_in_json(text, ["d"]) == (4, 9)
    assert find_in_json(text, ["a", 9]) == (2, 8)
    assert find_in_json(text, ["a", 0, "x"]) == (2, 9)


def test_strict_json_takes_what_json_allows() -> None:
    assert parse_json('{"a": [1.5, -0, null, "\\ud83d\\ude00"]}') == {"a": [1.5, 0, None, "😀"]}


# --- the bundle -----------------------------------------------------------------------------


def _pointers(value: Any, at: str = "") -> list[str]:
    found = [at]
    if isinstance(value, dict):
        for key, item in value.items():
            if not (key == "value" and "/examples/" in at):
                found += _pointers(item, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _pointers(item, f"{at}/{index}")
    return found


def test_every_node_has_its_place() -> None:
    bundle = load_spec(SAMPLE / "openapi.yaml")
    assert set(_pointers(bundle.document)) <= set(bundle.locations)
    for pointer, place in bundle.locations.items():
        lines = bundle.sources[place.file].decode().split("\n")
        name = split_pointer(pointer)[-1] if pointer else ""
        if not name.isdigit() and pointer not in ("", "/components") and pointer.count("/") > 2:
            text = lines[place.line - 1][place.column - 1 :]
            inlined = name == "value" and text.startswith("externalValue")
            renamed = pointer.startswith("/paths/") and pointer.count("/") == 2
            assert inlined or renamed or text.lstrip("'\"").startswith(name), (pointer, text)


def test_a_place_inside_an_example_is_that_of_the_example() -> None:
    bundle = load_spec(SAMPLE / "openapi.yaml")
    at = "/components/responses/BadRequest/content/application~1json/examples/too_long/value"
    assert bundle.locate(f"{at}/error/type") == bundle.locations[at]
    assert bundle.locate("/nothing/of/the/kind") == bundle.locations[""]


def test_keys_are_sorted_and_lists_keep_their_order() -> None:
    document = load_spec(SAMPLE / "openapi.yaml").document

    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert list(value) == sorted(value)
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            for item in value:
                check(item)

    check(document)
    assert document["components"]["schemas"]["Color"]["enum"] == ["red", "blue"]


def test_a_bundle_is_its_own_bundle(tmp_path: Path) -> None:
    document = load_spec(SAMPLE / "openapi.yaml").document
    for suffix, text in (("yaml", dump_yaml(document)), ("json", json.dumps(document))):
        entry = write(tmp_path / suffix, {"openapi.yaml": text})
        again = load_spec(entry)
        assert again.document == document
        assert yaml.safe_load(text) == document


def test_nothing_depends_on_where_the_spec_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = load_spec(SAMPLE / "openapi.yaml")
    shutil.copytree(SAMPLE, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    there = load_spec("elsewhere/openapi.yaml")
    assert (here.document, here.locations, here.sources) == (
        there.document,
        there.locations,
        there.sources,
    )
    assert list(here.sources) == list(there.sources)


def test_hidden_files_are_no_part_of_the_spec(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"schemas/.a.yaml": "[", ".git/b.yaml": "[", "examples/.x": ""}
    bundle = load(tmp_path, files)
    assert list(bundle.sources) == ["openapi.yaml"]
    assert bundle.example_files == ()


@pytest.mark.parametrize("name", ["nothing.yaml", "."])
def test_an_entry_document_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(tmp_path / name)
    assert [problem.rule for problem in caught.value.problems] == ["file-unreadable"]


# Key order: shuffling every mapping of every source file changes nothing in the document.


def _shuffled(value: Any, draw: st.DrawFn) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: _shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [_shuffled(item, draw) for item in value]
    return value


@st.composite
def _shuffled_sources(draw: st.DrawFn) -> dict[str, str]:
    result: dict[str, str] = {}
    for path in sorted(SAMPLE.rglob("*")):
        name = path.relative_to(SAMPLE).as_posix()
        if path.suffix == ".yaml":
            value = _shuffled(yaml.safe_load(path.read_text("utf-8")), draw)
            result[name] = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
        elif path.suffix == ".json":
            value = _shuffled(json.loads(path.read_text("utf-8")), draw)
            result[name] = json.dumps(value, ensure_ascii=False)
        elif path.is_file():
            result[name] = path.read_text("utf-8")
    return result


@settings(max_examples=25, deadline=None)
@given(sources=_shuffled_sources())
def test_key_order_makes_no_difference(
    sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected = load_spec(SAMPLE / "openapi.yaml")
    bundle = load(tmp_path_factory.mktemp("shuffled"), dict(sources))
    assert json.dumps(bundle.document) == json.dumps(expected.document)
    assert list(bundle.component_files) == list(expected.component_files)


@settings(max_examples=200, deadline=None)
@given(
    value=st.dictionaries(
        st.text(),
        st.text()
        | st.integers()
        | st.booleans()
        | st.none()
        | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_written_yaml_is_read_back(
    value: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = dump_yaml({"openapi": "3.1.0", "x-data": value})
    entry = tmp_path_factory.mktemp("written") / "openapi.yaml"
    entry.write_bytes(text.encode())
    assert load_spec(entry).document["x-data"] == value
