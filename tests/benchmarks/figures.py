"""What a benchmark found, and how it reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

LINEAR_EXPONENT = 1.15
"""Largest growth exponent taken for linear; memory and noise add a little to 1, n² gives 2."""


@dataclass(frozen=True)
class Figure:
    """One quantity, measured for each contender in one run."""

    name: str
    unit: str
    ours: float
    floor: float | None = None
    """The same by hand."""
    target: float | None = None
    """Largest wanted ratio of ``ours`` to ``floor``."""
    limit: float | None = None
    """Largest wanted ``ours``."""
    official: float | None = None
    official_floor: float | None = None
    """The floor in the process of the official SDK, where that is another one."""

    @property
    def ratio(self) -> float | None:
        """How many times the floor this project takes."""
        return self.ours / self.floor if self.floor else None

    @property
    def official_ratio(self) -> float | None:
        """How many times the floor the official SDK takes; without a floor, how many times ours."""
        if self.official is None:
            return None
        floor = self.official_floor or self.floor or self.ours
        return self.official / floor if floor else None

    @property
    def verdict(self) -> str:
        """``within target``, ``MISSED``, or nothing where there is no target."""
        missed = []
        if self.target is not None and self.ratio is not None:
            missed.append(self.ratio > self.target)
        if self.limit is not None:
            missed.append(self.ours > self.limit)
        if not missed:
            return ""
        return "MISSED" if any(missed) else "within target"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            **asdict(self),
            "ratio": self.ratio,
            "official_ratio": self.official_ratio,
            "verdict": self.verdict or None,
        }

    def render(self) -> str:
        """Return one line of text."""
        parts = [f"ours {_number(self.ours)} {self.unit}"]
        if self.floor is not None:
            parts.append(f"floor {_number(self.floor)} {self.unit}")
        if self.ratio is not None:
            wanted = "" if self.target is None else f" (target {self.target:g}x)"
            parts.append(f"{self.ratio:.2f}x{wanted}")
        if self.limit is not None:
            parts.append(f"limit {self.limit:g} {self.unit}")
        if self.verdict:
            parts.append(self.verdict)
        if self.official is not None:
            against = "the floor" if self.official_floor or self.floor else "ours"
            parts.append(
                f"official {_number(self.official)} {self.unit}, "
                f"{self.official_ratio or 0:.1f}x {against}"
            )
        return f"{self.name}: {'; '.join(parts)}"


@dataclass
class Report:
    """What one benchmark found."""

    name: str
    summary: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was skipped, and what stands behind a figure."""
    error: str | None = None
    """Why it could not be measured."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "name": self.name,
            "summary": self.summary,
            "figures": [figure.to_dict() for figure in self.figures],
            "notes": self.notes,
            "error": self.error,
        }

    def render(self) -> str:
        """Return some lines of text."""
        lines = [f"{self.name}: {self.summary}"]
        lines += [f"  {figure.render()}" for figure in self.figures]
        lines += [f"  ({note})" for note in self.notes]
        if self.error is not None:
            lines.append(f"  could not be measured: {self.error}")
        return "\n".join(lines)


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the exponent k for which the costs fit ``size ** k`` best: 1 is linear."""
    xs, ys = [log(size) for size in sizes], [log(cost) for cost in costs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / sum(
        (x - mean_x) ** 2 for x in xs
    )


def growth_steps(sizes: Sequence[float], costs: Sequence[float]) -> str:
    """Return the costs and the exponent from each size to the next as text."""
    exponents = [
        growth_exponent(*zip(*pair, strict=True))
        for pair in pairwise(zip(sizes, costs, strict=True))
    ]
    return (
        " / ".join(f"{cost * 1000:.1f}" for cost in costs)
        + " ms at "
        + " / ".join(f"{size:,.0f}" for size in sizes)
        + ", exponents "
        + " / ".join(f"{exponent:.2f}" for exponent in exponents)
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
