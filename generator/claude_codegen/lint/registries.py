"""Rules about betas, API versions, error codes and the extensions that refer to them."""

from __future__ import annotations

import keyword
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from ..source import pointer
from .grammar import GRAMMAR, as_array, as_object
from .spec import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import Spec

BETA_STATUSES: Final = ("active", "deprecated", "graduated")
_BETA_KEYS: Final = frozenset({"any_of", "default", "unless_model"})
_KNOWN: Final[dict[str, list[str]]] = {}
for _kind, _keys in GRAMMAR.items():
    for _key in _keys:
        if _key.startswith("x-"):
            _KNOWN.setdefault(_key, []).append(_kind)


def _extension_unknown(spec: Spec) -> Iterator[Finding]:
    for at, _, key in spec.walk.extensions:
        if key not in _KNOWN:
            yield Finding(at, f"{key} is not an extension of this project")


def _extension_misplaced(spec: Spec) -> Iterator[Finding]:
    for at, kind, key in spec.walk.extensions:
        if key in _KNOWN:
            places = " or ".join(_KNOWN[key])
            yield Finding(at, f"{key} has no meaning in a {kind}", f"move it to a {places}")


def _beta_uses(spec: Spec) -> Iterator[tuple[str, Any]]:
    for node in spec.walk.nodes:
        if "x-beta" in node.value:
            yield f"{node.pointer}/x-beta", node.value["x-beta"]


def _is_strings(value: object) -> bool:
    items = as_array(value)
    return bool(items) and all(isinstance(item, str) for item in items or ())


def _beta_form(spec: Spec) -> Iterator[Finding]:
    for at, value in _beta_uses(spec):
        rule = as_object(value)
        if isinstance(value, str):
            continue
        if rule is None:
            yield Finding(at, "x-beta is neither a flag nor a mapping")
        elif "via_beta_namespace" in rule:
            if set(rule) != {"via_beta_namespace"} or not isinstance(
                rule["via_beta_namespace"], str
            ):
                yield Finding(at, "via_beta_namespace takes one flag and stands alone")
        elif not set(rule) <= _BETA_KEYS:
            unknown = min(set(rule) - _BETA_KEYS)
            yield Finding(f"{at}{pointer(unknown)}", f"{unknown} has no meaning in x-beta")
        elif not _is_strings(rule.get("any_of")):
            yield Finding(at, "any_of is not a list of flags")
        elif "unless_model" in rule and not _is_strings(rule["unless_model"]):
            yield Finding(f"{at}/unless_model", "unless_model is not a list of model prefixes")
        elif len(rule["any_of"]) > 1 and "default" not in rule:
            yield Finding(at, "several flags and no default", "say which flag is sent: default")
        elif "default" in rule and rule["default"] not in rule["any_of"]:
            yield Finding(f"{at}/default", "the default is not one of any_of")


def _flags(value: Any) -> list[str]:
    """Return every flag an x-beta mentions; of a malformed one, nothing."""
    rule = as_object(value) or {}
    found: list[Any] = [value, rule.get("default"), rule.get("via_beta_namespace")]
    found.extend(as_array(rule.get("any_of")) or ())
    return list(dict.fromkeys(flag for flag in found if isinstance(flag, str)))


def _derived_flag(value: Any) -> str | None:
    """Return the flag that is sent because of an x-beta, None when only a namespace sends it."""
    rule = as_object(value)
    if rule is None:
        return value if isinstance(value, str) else None
    candidates = as_array(rule.get("any_of")) or [None]
    flag = rule.get("default", candidates[0])
    return flag if isinstance(flag, str) else None


def _beta_unknown(spec: Spec) -> Iterator[Finding]:
    for at, value in _beta_uses(spec):
        for flag in _flags(value):
            if flag not in spec.betas:
                yield Finding(at, f"the flag {flag} is not in x-betas")
    for name, entry in spec.betas.items():
        at = pointer("x-betas", name)
        for flag in entry.get("replaces", []):
            if flag not in spec.betas:
                yield Finding(f"{at}/replaces", f"the flag {flag} is not in x-betas")
    for node in spec.nodes("example"):
        headers = node.value.get("x-request-headers", {})
        for flag in re.split(r"\s*,\s*", headers.get("anthropic-beta", "")):
            if flag and flag not in spec.betas:
                at = f"{node.pointer}/x-request-headers/anthropic-beta"
                yield Finding(at, f"the flag {flag} is not in x-betas")


def _beta_registry(spec: Spec) -> Iterator[Finding]:
    for name, entry in spec.betas.items():
        at = pointer("x-betas", name)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-20\d\d-\d\d-\d\d", name):
            yield Finding(at, f"{name} is not words and a date joined by hyphens")
        if entry["status"] not in BETA_STATUSES:
            yield Finding(f"{at}/status", f"the status {entry['status']}")
        if not entry["summary"].strip():
            yield Finding(f"{at}/summary", "the summary is empty")
        if not entry["endpoints"]:
            yield Finding(f"{at}/endpoints", "no endpoints are listed")


def _shape_derived(spec: Spec) -> Iterator[Finding]:
    for at, value in _beta_uses(spec):
        flag = _derived_flag(value)
        entry = spec.betas.get(flag) if flag is not None else None
        if entry is not None and entry.get("selects_shape"):
            yield Finding(at, f"{flag} changes the shape of answers")


def _beta_enum(spec: Spec) -> Iterator[Finding]:
    schema: JsonObject | None = spec.schemas.get("AnthropicBeta")
    if schema is None or "enum" not in schema:
        if spec.betas:
            yield Finding("/x-betas", "there is no enum AnthropicBeta with these flags")
        return
    at = pointer("components", "schemas", "AnthropicBeta", "enum")
    for index, flag in enumerate(schema["enum"]):
        if flag not in list(spec.betas):
            yield Finding(f"{at}/{index}", f"{flag} is not in x-betas")
    for flag in spec.betas:
        if flag not in schema["enum"]:
            yield Finding(pointer("x-betas", flag), f"{flag} is not in the enum AnthropicBeta")


def _api_version(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("version-range"):
        if not node.value:
            yield Finding(node.pointer, "neither since nor until")
        for key, version in node.value.items():
            if key in ("since", "until") and version not in spec.api_versions:
                yield Finding(f"{node.pointer}/{key}", f"the version {version}")
        since, until = node.value.get("since"), node.value.get("until")
        if since is not None and until is not None and since > until:
            yield Finding(node.pointer, "since is later than until")
    registry = as_object(spec.document.get("x-api-versions"))
    if registry is None:
        return
    versions: JsonObject = registry["versions"]
    supported = [name for name, entry in versions.items() if entry["supported"]]
    if registry["default"] not in supported:
        yield Finding("/x-api-versions/default", "the default is not a supported version")
    enum = spec.schemas.get("AnthropicVersion", {}).get("enum")
    if enum is not None and sorted(enum, key=str) != sorted(supported):
        at = pointer("components", "schemas", "AnthropicVersion", "enum")
        yield Finding(at, f"the supported versions are {', '.join(supported)}")


def _error_code(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        for index, code in enumerate(operation.value.get("x-error-codes", [])):
            at = f"{operation.pointer}/x-error-codes/{index}"
            if code not in spec.error_codes:
                yield Finding(at, f"the code {code} is not in x-error-codes")
    classes: dict[str, str] = {}
    for code, entry in spec.error_codes.items():
        at = pointer("x-error-codes", code)
        name = entry["class"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
            yield Finding(at, f"{code!r} is not snake_case")
        if not 400 <= entry["status"] <= 599:
            yield Finding(f"{at}/status", f"the status {entry['status']} is no error")
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*Error", name) or keyword.iskeyword(name):
            yield Finding(f"{at}/class", f"{name!r} is not a class name that ends in Error")
        if classes.setdefault(name.casefold(), code) != code:
            yield Finding(f"{at}/class", f"{name} is already {classes[name.casefold()]}")
        if not isinstance(entry["retry"], bool) and entry["retry"] != "after-wait":
            yield Finding(f"{at}/retry", f"retry is {entry['retry']!r}")
        if not entry["description"].strip():
            yield Finding(f"{at}/description", "the description is empty")


def _model_registry(spec: Spec) -> Iterator[Finding]:
    schema: JsonObject = spec.schemas.get("Model", {})
    known: list[Any] = schema.get("enum", [])
    for name, entry in spec.models.items():
        at = pointer("x-models", name)
        for key in ("deprecated_on", "retires_on"):
            if key in entry and not _is_day(entry[key]):
                yield Finding(f"{at}/{key}", f"{entry[key]!r} is not a day such as '2026-11-30'")
        if entry.get("deprecated_on", "") > entry["retires_on"]:
            yield Finding(f"{at}/deprecated_on", "the model is deprecated after it retires")
        replacement = entry.get("replacement")
        if replacement is None:
            continue
        if replacement in spec.models:
            yield Finding(f"{at}/replacement", f"{replacement} goes or is gone itself")
        elif known and replacement not in known:
            yield Finding(f"{at}/replacement", f"{replacement} is not in the enum Model")
    at = pointer("components", "schemas", "Model", "x-enum")
    notes: JsonObject = schema.get("x-enum", {})
    noted = {name for name, note in notes.items() if note.get("deprecated")}
    for name in known:
        if name in spec.models and name not in noted:
            yield Finding(pointer("x-models", str(name)), f"{name} is not marked in the enum Model")
        elif name in noted and name not in spec.models:
            yield Finding(f"{at}{pointer(name)}", f"{name} is not in x-models")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _request_headers(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("example"):
        if "x-request-headers" in node.value and "/requestBody/" not in node.pointer:
            yield Finding(
                f"{node.pointer}/x-request-headers", "headers on an example that is no request"
            )
        for name in node.value.get("x-request-headers", {}):
            if name != name.lower():
                yield Finding(
                    f"{node.pointer}/x-request-headers{pointer(name)}",
                    f"the header name {name} is not in lower case",
                )


RULES: Final = (
    Rule(
        "extension-unknown",
        "Only the project's own x- extensions are used.",
        "A misspelt extension is silently without effect.",
        f"use one of {', '.join(sorted(_KNOWN))}",
        _extension_unknown,
    ),
    Rule(
        "x-extension-misplaced",
        "Extensions stand where they are read.",
        "Elsewhere they are without effect.",
        "move it",
        _extension_misplaced,
    ),
    Rule(
        "beta-form",
        "x-beta is a flag, {any_of, default, unless_model} or {via_beta_namespace: flag}.",
        "The beta header of a request is derived from it.",
        "write the flag, or any_of with a default",
        _beta_form,
    ),
    Rule(
        "beta-unknown",
        "Every flag is in the registry x-betas.",
        "The API answers 400 to a flag it does not know.",
        "correct the flag, or add it to x-betas",
        _beta_unknown,
    ),
    Rule(
        "beta-registry",
        "Entries of x-betas have a summary, a known status and endpoints.",
        "They become the reference of beta flags.",
        f"complete the entry; a status is one of {', '.join(BETA_STATUSES)}",
        _beta_registry,
    ),
    Rule(
        "selects-shape-derived",
        "No x-beta sends a flag that changes the shape of answers.",
        "Passing an argument must not change the type that comes back; betas= may.",
        "use another flag as default, or via_beta_namespace",
        _shape_derived,
    ),
    Rule(
        "anthropic-beta-enum-out-of-sync",
        "The enum AnthropicBeta lists exactly the flags of x-betas.",
        "The enum is what users see, the registry what the client knows.",
        "add the flag where it is missing",
        _beta_enum,
    ),
    Rule(
        "api-version-unknown",
        "Versions are those of x-api-versions, and AnthropicVersion lists the supported ones.",
        "A range with a misspelt version never applies.",
        "use a version of x-api-versions",
        _api_version,
    ),
    Rule(
        "error-code-unknown",
        "Error codes of operations are in x-error-codes, whose entries have status, class, retry.",
        "Each code becomes an exception class.",
        "correct the code, or complete its entry; retry is true, false or after-wait",
        _error_code,
    ),
    Rule(
        "model-registry",
        "Entries of x-models have real days and a replacement that stays; the enum Model agrees.",
        "The client warns of these models, with the day and the replacement.",
        "correct the entry, and set deprecated in x-enum of Model for those the enum lists",
        _model_registry,
    ),
    Rule(
        "request-headers-misplaced",
        "x-request-headers stands on examples of request bodies, with lower-case names.",
        "The mock API and the tests send these headers with the example.",
        "move it to the request's example",
        _request_headers,
    ),
)
