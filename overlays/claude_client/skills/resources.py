"""``client.skills`` with a folder or an archive where the generated methods take a list of files.

The methods hand everything on: what becomes of the files is :func:`.sources.skill_parts`, which
every way of making a call passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.kept import kept_property
from claude_rest._runtime.unset import UNSET, Unset
from claude_rest.resources.skills import AsyncSkills as GeneratedAsyncSkills
from claude_rest.resources.skills import Skills as GeneratedSkills
from claude_rest.resources.skills_versions import AsyncVersions as GeneratedAsyncVersions
from claude_rest.resources.skills_versions import Versions as GeneratedVersions

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import IO, TypeAlias

    from typing_extensions import Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.multipart import FileInput
    from claude_rest.models import Skill, SkillVersion

    SkillInput: TypeAlias = Sequence[FileInput] | str | os.PathLike[str] | bytes | IO[bytes]


class Versions(GeneratedVersions):
    """Methods of ``client.skills.versions``."""

    def create(
        self, skill_id: str, *, files: SkillInput, **options: Unpack[RequestOptions]
    ) -> SkillVersion:
        """Create a version of a skill from a folder, an archive or a list of files.

        See :meth:`Skills.create` for ``files`` and what is checked of them.

        Args:
            skill_id: ID of the skill (``skill_…``).
            files: The skill.
        """
        given: Any = files
        return super().create(skill_id, files=given, **options)


class Skills(GeneratedSkills):
    """Methods of ``client.skills``."""

    @kept_property
    def versions(self) -> Versions:
        """``client.skills.versions``."""
        return Versions(self._caller, via_beta=self._via_beta)

    def create(
        self,
        *,
        files: SkillInput,
        display_name: str | Unset | None = UNSET,
        display_title: str | Unset | None = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Skill:
        """Create a skill from a folder, an archive or a list of files.

        The skill belongs to the workspace, and its upload is its first version. A folder or an
        archive needs ``SKILL.md`` at its root; :func:`~claude_client.skill_files` says what of it
        is uploaded, and does the same for a folder with choices of your own. Paths that lead out of
        the folder are refused unless ``check_paths=False``, and more than 30 MB, unpacked, unless
        ``check_sizes=False``.

        Args:
            files: Path of a folder or of a ZIP archive, an archive as bytes or an open file, or a
                list of files, each with its path in the skill: ``("my-skill/SKILL.md", content)``.
            display_name: Name for people, up to 255 characters; the ``name`` in ``SKILL.md`` unless
                given.
            display_title: The same in the shape of ``skills-2025-10-02``; goes with that beta flag
                only.
        """
        given: Any = files
        return super().create(
            files=given, display_name=display_name, display_title=display_title, **options
        )


class AsyncVersions(GeneratedAsyncVersions):
    """Methods of ``client.skills.versions`` on an asynchronous client."""

    async def create(
        self, skill_id: str, *, files: SkillInput, **options: Unpack[RequestOptions]
    ) -> SkillVersion:
        """Create a version of a skill from a folder, an archive or a list of files.

        See :meth:`Skills.create` for ``files`` and what is checked of them.

        Args:
            skill_id: ID of the skill (``skill_…``).
            files: The skill.
        """
        given: Any = files
        return await super().create(skill_id, files=given, **options)


class AsyncSkills(GeneratedAsyncSkills):
    """Methods of ``client.skills`` on an asynchronous client."""

    @kept_property
    def versions(self) -> AsyncVersions:
        """``client.skills.versions``."""
        return AsyncVersions(self._caller, via_beta=self._via_beta)

    async def create(
        self,
        *,
        files: SkillInput,
        display_name: str | Unset | None = UNSET,
        display_title: str | Unset | None = UNSET,
        **options: Unpack[RequestOptions],
    ) -> Skill:
        """Create a skill from a folder, an archive or a list of files; see :meth:`Skills.create`.

        Args:
            files: The skill.
            display_name: Name for people, up to 255 characters; the ``name`` in ``SKILL.md`` unless
                given.
            display_title: The same in the shape of ``skills-2025-10-02``; goes with that beta flag
                only.
        """
        given: Any = files
        return await super().create(
            files=given, display_name=display_name, display_title=display_title, **options
        )
