from __future__ import annotations

import sys

# Generating needs Python 3.11 (openapi-python-client does), running what was generated does not.
collect_ignore_glob = ["*"] if sys.version_info < (3, 11) else []


def pytest_report_header() -> str:
    if sys.version_info < (3, 11):
        return "tests/generator: skipped, claude-codegen needs Python 3.11 or later"
    return "tests/generator: included"
