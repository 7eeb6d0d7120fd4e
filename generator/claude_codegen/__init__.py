"""Generates the client from the spec: load, lint, lower, emit, check."""

from __future__ import annotations
