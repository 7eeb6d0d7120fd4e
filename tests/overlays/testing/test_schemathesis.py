"""The mock against an independent reader of the spec: schemathesis makes requests, right and wrong.

Every answer has to have a status that the spec names for its operation, the media type that it
names for this status, and a body that is valid against the schema there; and what breaks the
schema of a request has to be refused.
"""

from __future__ import annotations

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


def _schema(bundle: dict[str, Any], examples: int, *, coverage: bool) -> Any:
    project = ProjectConfig(
        headers={"x-api-key": "k", "anthropic-beta": ",".join(bundle["x-betas"])},
        generation=GenerationConfig(
            max_examples=examples, deterministic=True, database="none", no_shrink=True
        ),
        # The systematic cases of a request as large as that of a message take minutes.
        phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=coverage)),
    )
    config = SchemathesisConfig(seed=4, projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(bundle, config=config)


real = _schema(load_bundle(), 6, coverage=False)
families = _schema(families_bundle(), 6, coverage=True)


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
