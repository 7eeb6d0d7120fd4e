"""The rest of the package: its root, error classes by code, facts of the service, the spec."""

from __future__ import annotations

import json

from ..ir import ErrorCode, Representation
from ..load import Bundle
from .environment import render

_STATUS_CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "PaymentRequiredError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "RequestTimeoutError",
    409: "ConflictError",
    412: "PreconditionFailedError",
    413: "ContentTooLargeError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    431: "RequestHeaderFieldsTooLargeError",
    499: "ClientClosedRequestError",
    501: "HTTPNotImplementedError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
    529: "OverloadedError",
}


def status_class(code: ErrorCode) -> str:
    """Return the runtime's class of a status: the base of the class of a code."""
    if code.status in _STATUS_CLASSES:
        return _STATUS_CLASSES[code.status]
    return "InternalServerError" if code.status >= 500 else "APIStatusError"


def emit_package(representation: Representation, bundle: Bundle) -> dict[str, str]:
    """Return the files at the root of the package, and the bundled spec."""
    bases = sorted({"APIStatusError", *(status_class(code) for code in representation.error_codes)})
    return {
        "__init__.py": render("package.py.jinja"),
        "errors.py": render(
            "errors.py.jinja",
            codes=representation.error_codes,
            bases=bases,
            base_of=status_class,
        ),
        "service.py": render(
            "service.py.jinja",
            base_url=representation.base_url,
            versions=representation.api_versions,
            default_version=representation.default_api_version,
            selecting=tuple(
                sorted(
                    flag
                    for flag, facts in representation.beta_flags.items()
                    if facts.get("selects_shape")
                )
            ),
            replacing=[
                (flag, tuple(facts["endpoints"]), tuple(facts["replaces"]))
                for flag, facts in sorted(representation.beta_flags.items())
                if facts.get("replaces")
            ],
            retired=[
                (flag, facts["status"])
                for flag, facts in sorted(representation.beta_flags.items())
                if facts["status"] == "deprecated"
                # A graduated flag that still selects a shape does something.
                or (facts["status"] == "graduated" and not facts.get("selects_shape"))
            ],
            model_ends=[
                (model, facts.get("deprecated_on"), facts["retires_on"], facts.get("replacement"))
                for model, facts in sorted(representation.model_ends.items())
            ],
        ),
        "spec.py": render("spec.py.jinja"),
        "_spec/openapi.json": json.dumps(bundle.document, indent=1, ensure_ascii=False) + "\n",
        "py.typed": "",
    }
