"""The mock against an independent reader of the spec: schemathesis makes requests, right and wrong.

Every answer has to have a status that the spec names for its operation, the media type that it
names for this status, and a body that is valid against the schema there; and what breaks the
schema of a request has to be refused.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI, serve
from claude_rest.spec import load_bundle

from .families_spec import bundle as families_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

schemathesis = pytest.importorskip("schemathesis")

from schemathesis.config import (  # noqa: E402
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

CHECKS = [
    getattr(schemathesis.checks, name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "use_after_free",
    )
]
"""All but those that ask for success: what a schema allows, the API may refuse for other reasons."""


CASES = 150
"""Requests per spec, about; shared out among its operations."""


def _schema(bundle: dict[str, Any], *, coverage: bool) -> Any:
    operations = sum("responses" in o for item in bundle["paths"].values() for o in item.values())
    flags = [flag for flag, facts in bundle["x-betas"].items() if not facts.get("selects_shape")]
    project = ProjectConfig(
        headers={"x-api-key": "k", "anthropic-beta": ",".join(flags)},
        generation=GenerationConfig(
            max_examples=max(1, CASES // operations),
            deterministic=True,
            database="none",
            no_shrink=True,
            with_security_parameters=False,
        ),
        # The systematic cases of a request as large as that of a message take minutes.
        phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=coverage)),
    )
    config = SchemathesisConfig(seed=4, projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(_with_bodies_of_streams_open(bundle), config=config)


def _with_bodies_of_streams_open(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return the bundle without the schemas that say that an event stream is text.

    schemathesis holds every single event against them; what is in the events is tested elsewhere.
    """
    bundle = copy.deepcopy(bundle)
    for item in bundle["paths"].values():
        for operation in (value for value in item.values() if isinstance(value, dict)):
            for response in operation.get("responses", {}).values():
                for media in response.get("content", {}).values():
                    if "x-item-schema" in media:
                        media["schema"] = {}
    return bundle


real = _schema(load_bundle(), coverage=False)
families = _schema(families_bundle(), coverage=True)


@pytest.fixture(scope="module")
def real_url() -> Iterator[str]:
    with serve(MockAPI(seed=4)) as server:
        yield server.url


@pytest.fixture(scope="module")
def families_url() -> Iterator[str]:
    with serve(MockAPI(families_bundle(), seed=4)) as server:
        yield server.url


@real.parametrize()
def test_every_operation_of_the_spec(case: Any, real_url: str) -> None:
    case.call_and_validate(base_url=real_url, checks=CHECKS)


@families.parametrize()
def test_every_kind_of_family(case: Any, families_url: str) -> None:
    case.call_and_validate(base_url=families_url, checks=CHECKS)
