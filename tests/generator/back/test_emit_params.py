"""Request types, and what datamodel-code-generator would make of them alone.

As in test_lower.py, each trap is shown on unprepared input first.
"""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from datamodel_code_generator.config import GenerateConfig

from claude_codegen.emit import typed_dicts
from claude_codegen.emit.params import accepted_model
from claude_codegen.emit.typed_dicts import TypedDictError, request_types
from claude_codegen.ir import build
from claude_codegen.lint import lint
from claude_codegen.types import Component, Tagged

from .building import REF, STRING, feature, generated, load_small, text_of
from .conftest import Installer


def by_tool(schemas: dict[str, Any]) -> str:
    """Return what the tool writes, with this project's options, for schemas nobody prepared."""
    return typed_dicts._generate(
        {
            "openapi": "3.1.0",
            "info": {"title": "T", "version": "1"},
            "paths": {},
            "components": {"schemas": schemas},
        }
    )


def having(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


# -- datamodel-code-generator --------------------------------------------------------------------


def test_free_form_objects_would_reject_every_key_and_are_mappings(tmp_path: Path) -> None:
    raw = by_tool({"Free": {"type": "object", "additionalProperties": True}})
    assert "class Free(TypedDict):\n    pass" in raw
    raw = by_tool({"Free": {**having(type=STRING), "additionalProperties": True}})
    assert "class Free(TypedDict):\n    type: str" in raw

    params = text_of("maps", "params/things.py")
    assert "AnythingParam: TypeAlias = Mapping[str, Any]" in params
    assert "FreeFormParam: TypeAlias = Mapping[str, Any]" in params
    assert "LabelsParam: TypeAlias = Mapping[str, str]" in params


def test_a_mapping_would_not_become_literals_and_the_constants_of_members_do(
    tmp_path: Path,
) -> None:
    union = {
        "oneOf": [{"$ref": REF + "A"}, {"$ref": REF + "B"}],
        "discriminator": {"propertyName": "t", "mapping": {"a": REF + "A", "b": REF + "B"}},
    }
    raw = by_tool({"A": having(t=STRING), "B": having(t=STRING), "U": union})
    assert raw.count("    t: str") == 2
    assert "Literal" not in raw

    assert 'kind: Literal["circle"]' in text_of("tagged_union", "params/things.py")
    member = {**having(t=STRING), "description": "M."}
    local = {
        "oneOf": [{"$ref": "#/A"}, {"$ref": "#/B"}],
        "discriminator": {"propertyName": "t", "mapping": {"a": "#/A", "b": "#/B"}},
    }
    bundle = load_small(tmp_path, {"x": local}, {"A": member, "B": member})
    assert "discriminator-mapping-incomplete" in {problem.rule for problem in lint(bundle)}


def test_a_subclass_that_redefines_type_would_fail_type_checkers_and_is_refused(
    tmp_path: Path,
) -> None:
    constant = {name: {"type": "string", "const": name} for name in ("a", "b")}
    derived = {"allOf": [{"$ref": REF + "A"}, having(type=constant["b"])]}
    raw = by_tool({"A": having(type=constant["a"]), "B": derived})
    assert "class B(A):\n    type: Literal['b']" in raw

    local = {"allOf": [{"$ref": "#/A"}], "description": "B."}
    bundle = load_small(
        tmp_path,
        {"x": {"$ref": "#/B"}},
        {"A": {**having(type=constant["a"]), "description": "A."}, "B": local},
    )
    assert "all-of" in {problem.rule for problem in lint(bundle)}


def test_inline_objects_would_take_the_names_of_others_and_are_refused(tmp_path: Path) -> None:
    raw = by_tool({"Holder": having(part=having(a=STRING)), "Part": having(b=STRING)})
    assert "class Part(TypedDict):\n    a: str" in raw
    assert "class Part1(TypedDict):\n    b: str" in raw

    bundle = load_small(tmp_path, {"x": having(a={**STRING, "description": "A."})})
    assert "inline-object" in {problem.rule for problem in lint(bundle)}


def test_names_with_underscores_would_be_respelt_and_are_not(
    tmp_path: Path, installed: Installer
) -> None:
    assert "class Tool2025(TypedDict)" in by_tool({"Tool_2025": having(a=STRING)})

    part = {"type": "object", "description": "P.", "properties": {"id": STRING}}
    bundle = load_small(tmp_path, {"x": {"$ref": "#/Tool_20250101"}}, {"Tool_20250101": part})
    params = installed(bundle).params
    assert params.Tool_20250101.__name__ == "Tool_20250101"
    assert params.ThingCreateParams.__annotations__["x"].__forward_arg__ == (
        "NotRequired[Tool_20250101]"
    )


def test_stand_ins_for_names_do_not_touch_values_and_keys(tmp_path: Path) -> None:
    fields = {
        "C0001": STRING,
        "from": {"type": "string", "enum": ["C0001", "C0002"]},
        "tree": {"$ref": "#/Tree"},
    }
    tree = {"description": "T.", "oneOf": [STRING, {"type": "array", "items": {"$ref": "#/Tree"}}]}
    bundle = load_small(tmp_path, fields, {"Tree": tree})
    types = request_types(bundle.document, build(bundle).components)
    assert {key.name: key.annotation for key in types["ThingCreateParams"].keys} == {
        "C0001": "str",
        "from": "Literal['C0001', 'C0002']",
        "tree": "Tree",
    }
    alias = types["Tree"].alias
    assert alias is not None
    assert ast.unparse(alias) == "Union[str, Sequence[Tree]]"


def test_an_open_enum_would_be_closed_and_stays_open() -> None:
    raw = by_tool({"A": having(x={"type": "string", "enum": ["a"], "x-open-enum": True})})
    assert "x: Literal['a']" in raw

    params = text_of("enums", "params/things.py")
    assert 'OpenColor: TypeAlias = Union[Literal["red", "blue"], str]' in params
    assert 'Color: TypeAlias = Literal["red", "blue"]' in params
    assert 'finish: NotRequired[Literal["matt", "gloss"] | str]' in params


def test_a_default_would_change_what_is_required_and_is_refused(tmp_path: Path) -> None:
    bundle = load_small(tmp_path, {"x": {"type": "string", "default": "q"}})
    assert "default-unsupported" in {problem.rule for problem in lint(bundle)}


def test_a_constant_is_no_default() -> None:
    params = text_of("keyword_names", "params/things.py")
    assert '"type": "Literal[\'thing\']"' in params


def test_a_field_called_from_is_a_key() -> None:
    params = text_of("keyword_names", "params/things.py")
    assert 'ThingCreateParams = TypedDict(\n    "ThingCreateParams",' in params
    assert '"from": "str"' in params
    assert "from_" not in params


def test_every_option_that_shapes_the_output_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Defaults change between minor versions, so whatever decides names or types is given.
    given = {
        str(keyword.arg)
        for node in ast.walk(ast.parse(inspect.getsource(typed_dicts._generate)))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "generate"
        for keyword in node.keywords
    }
    assert given <= set(GenerateConfig.model_fields)
    assert given >= {
        *("collapse_root_models", "disable_appending_item_suffix", "enum_field_as_literal"),
        *("keep_model_order", "output_model_type", "parent_scoped_naming", "reuse_model"),
        *("snake_case_field", "strict_nullable", "target_python_version"),
        *("use_closed_typed_dict", "use_generic_container_types", "use_one_literal_as_default"),
        *("use_standard_collections", "use_title_as_name", "use_type_alias"),
        *("use_type_checking_imports", "use_union_operator", "use_unique_items_as_set"),
    }
    # Nor does a configuration that lies around play a part.
    (tmp_path / "pyproject.toml").write_text(
        "[tool.datamodel-codegen]\nsnake-case-field = true\nclass-name-prefix = 'X'\n", "utf-8"
    )
    before = by_tool({"A": having(camelCase=STRING)})
    monkeypatch.chdir(tmp_path)
    assert by_tool({"A": having(camelCase=STRING)}) == before


# -- what is emitted -----------------------------------------------------------------------------


def test_a_component_that_the_tool_leaves_out_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = feature("recursion")
    components = build(bundle).components
    monkeypatch.setattr(typed_dicts, "_generate", lambda _: "class C0001(TypedDict):\n    a: str\n")
    with pytest.raises(TypedDictError, match=r"left out \['ThingCreateParams'.*added nothing"):
        request_types(bundle.document, components)
    monkeypatch.setattr(typed_dicts, "_generate", lambda _: "class Other(TypedDict):\n    a: str\n")
    with pytest.raises(TypedDictError, match=r"added \['Other'\]"):
        request_types(bundle.document, components)
    monkeypatch.setattr(typed_dicts, "_generate", lambda _: "while True: pass\n")
    with pytest.raises(TypedDictError, match="cannot read 'while True"):
        request_types(bundle.document, components)


def test_a_spec_without_request_types_is_fine(installed: Installer) -> None:
    package = installed(feature("paging"))
    assert package.params.__all__ == []
    with pytest.raises(AttributeError):
        _ = package.params.Nothing


def test_unions_of_requests_take_their_response_twins() -> None:
    def union(name: str, *sides: str) -> Component:
        return Component(name, "m", "", frozenset(sides), alias=Tagged("type", ()))

    components = {
        "BlockParam": union("BlockParam", "request"),
        "Block": union("Block", "response"),
        "LoneParam": union("LoneParam", "request"),
    }
    assert accepted_model(components["BlockParam"], components) == "Block"
    assert accepted_model(components["LoneParam"], components) is None
    assert accepted_model(components["Block"], components) is None
    params = text_of("tagged_union", "params/things.py")
    assert 'ShapeParam: TypeAlias = Union["CircleParam", "SquareParam", "Shape"]' in params
    assert "from ..models.things import Shape" in params


def test_words_of_descriptions_are_not_imported() -> None:
    params = text_of("prose", "params/things.py")
    assert "collections.abc" not in params
    assert "from typing import Literal, TypedDict\n" in params


def test_binary_fields_take_files() -> None:
    params = text_of("bodies_and_answers", "params/files.py")
    assert "    file: FileInput\n" in params
    assert "    from .._runtime.multipart import FileInput\n" in params


def test_type_checkers_accept_every_generated_package(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    from .test_golden import FEATURES

    for name in FEATURES:
        for path, content in generated(name).items():
            # One copy of the runtime is enough.
            if path.startswith("_runtime/") and name != "streaming":
                continue
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if name != "streaming":
            (tmp_path / name / "_runtime").symlink_to(tmp_path / "streaming" / "_runtime")
    settings = {
        "include": [str(tmp_path)],
        "exclude": ["**/_runtime"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.10",
        "reportPrivateUsage": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "0 errors" in finished.stdout
