"""What is wrong with a spec, said so that a person can go there and put it right."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a spec.

    ``file`` is relative to the folder of the entry document, with forward slashes; ``line`` and
    ``column`` count from 1; ``pointer`` is the JSON pointer in the bundled document (empty when
    the finding is about a file as such).
    """

    rule: str
    message: str
    file: str
    line: int = 1
    column: int = 1
    pointer: str = ""
    fix: str = ""

    def sort_key(self) -> tuple[str, int, int, str, str, str]:
        """Return the key that puts findings into reading order."""
        return (self.file, self.line, self.column, self.rule, self.pointer, self.message)

    def as_dict(self) -> dict[str, str | int]:
        """Return the finding as JSON-ready data."""
        return asdict(self)

    def render(self, folder: str = "") -> str:
        """Return the finding as text: place, rule and message, then pointer and fix, indented.

        ``folder`` is put before the file name, so that an editor can open the place.
        """
        name = f"{folder.rstrip('/')}/{self.file}" if folder not in ("", ".") else self.file
        lines = [f"{name}:{self.line}:{self.column}: error {self.rule}: {self.message}"]
        if self.pointer:
            lines.append(f"    at  {self.pointer}")
        if self.fix:
            lines.append(f"    fix {self.fix}")
        return "\n".join(lines)


class SpecError(Exception):
    """A spec could not be read or turned into code; ``problems`` says why, in reading order."""

    problems: tuple[Problem, ...]

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Gather ``problems``, sorted and without repetitions."""
        self.problems = tuple(sorted(set(problems), key=Problem.sort_key))
        super().__init__("\n".join(problem.render() for problem in self.problems))

    def __reduce__(self) -> tuple[type[SpecError], tuple[tuple[Problem, ...]]]:
        """Pickle by the problems, not by the rendered message."""
        return (SpecError, (self.problems,))
