"""Skills and their versions: stored in memory, in today's shape and in the older one."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final

from .exchange import BINARY_TYPE, Answer, RefusedError
from .json_values import is_object
from .skill_files import SkillUpload, read_upload
from .workspace import StoredSkill, StoredVersion, page_by_cursor, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Call
    from .routing import Router

OLDER_SHAPE: Final = "skills-2025-10-02"
"""Beta flag that selects the older shape."""

_LONGEST_NAME: Final = 255


def create_skill(call: Call) -> Answer:
    """Store a skill with its first version (spec: SkillCreateParams)."""
    skills = _skills(call)
    upload = read_upload(call.form, call.operation.max_bytes)
    title = "display_title" if OLDER_SHAPE in call.flags else "display_name"
    display_name: str = call.body.get(title) or upload.name
    if len(display_name) > _LONGEST_NAME:
        raise RefusedError(400, f"{title}: must have at most {_LONGEST_NAME} characters")
    skill = StoredSkill(
        number=call.workspace.next_number(),
        id=call.identifiers.next("skill"),
        display_name=display_name,
        source="custom",
        created_at=timestamp(call.now),
        updated_at=timestamp(call.now),
    )
    _add_version(skill, upload, call)
    skills[skill.id] = skill
    return Answer.of(_show(skill, call))


def list_skills(call: Call) -> Answer:
    """Answer with one page of skills."""
    source = call.query.get("source")
    skills = [skill for skill in _skills(call).values() if source in (None, skill.source)]
    page = page_by_cursor(skills, call.query, lambda skill: _show(skill, call))
    return Answer.of(_shaped(page, call))


def retrieve_skill(call: Call) -> Answer:
    """Answer with a skill."""
    return Answer.of(_show(_find(call), call))


def delete_skill(call: Call) -> Answer:
    """Remove a skill; in the older shape its versions have to be gone."""
    skill = _find_own(call)
    if OLDER_SHAPE in call.flags and skill.versions:
        raise RefusedError(400, f"Skill {skill.id} has versions; delete them first")
    del _skills(call)[skill.id]
    return Answer.of({"id": skill.id, "type": "skill_deleted"})


def create_version(call: Call) -> Answer:
    """Store another version of a skill."""
    skill = _find_own(call)
    version = _add_version(skill, read_upload(call.form, call.operation.max_bytes), call)
    skill.updated_at = version.created_at
    return Answer.of(_show_version(skill, version, call))


def list_versions(call: Call) -> Answer:
    """Answer with one page of the versions of a skill."""
    skill = _find(call)
    page = page_by_cursor(
        skill.versions, call.query, lambda version: _show_version(skill, version, call)
    )
    return Answer.of(_shaped(page, call))


def retrieve_version(call: Call) -> Answer:
    """Answer with a version."""
    skill = _find(call)
    return Answer.of(_show_version(skill, _find_version(skill, call), call))


def delete_version(call: Call) -> Answer:
    """Remove a version; the last one goes with its skill, except in the older shape."""
    skill = _find_own(call)
    version = _find_version(skill, call)
    older = OLDER_SHAPE in call.flags
    if len(skill.versions) == 1 and not older:
        raise RefusedError(400, f"{version.id} is the only version; delete the skill instead")
    skill.versions.remove(version)
    shown = version.stamp if older else version.id
    return Answer.of({"id": shown, "type": "skill_version_deleted"})


def download_version(call: Call) -> Answer:
    """Answer with a ZIP archive of a version, the same bytes every time."""
    version = _find_version(_find_own(call), call)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(version.files):
            archive.writestr(zipfile.ZipInfo(path), version.files[path], zipfile.ZIP_DEFLATED)
    return Answer(buffer.getvalue(), BINARY_TYPE)


def _add_version(skill: StoredSkill, upload: SkillUpload, call: Call) -> StoredVersion:
    call.workspace.require_space(sum(map(len, upload.files.values())))
    number = call.workspace.next_number()
    version = StoredVersion(
        number=number,
        id=call.identifiers.next("skver"),
        stamp=str(int(call.now) * 1_000_000 + number),
        directory=upload.directory,
        name=upload.name,
        description=upload.description,
        created_at=timestamp(call.now),
        files=upload.files,
    )
    skill.versions.append(version)
    return version


def _skills(call: Call) -> dict[str, StoredSkill]:
    """Return the skills of the workspace, those that Anthropic provides among them."""
    workspace = call.workspace
    if not workspace.seeded:
        workspace.seeded = True
        for example in _provided(call.router):
            number = workspace.next_number()
            skill = StoredSkill(
                number,
                example["id"],
                example["display_name"],
                example["source"]["type"],
                example["created_at"],
                example["updated_at"],
            )
            description = f"Works with {skill.display_name} files."
            skill.versions.append(
                StoredVersion(
                    number,
                    example["latest_version_id"],
                    "20251013",
                    skill.id,
                    skill.id,
                    description,
                    skill.updated_at,
                    {},
                )
            )
            workspace.skills[skill.id] = skill
    return workspace.skills


def _provided(router: Router) -> Iterator[Mapping[str, Any]]:
    """Yield the examples of the spec that are skills of Anthropic's."""
    operation = router.operations.get("skills.list")
    for example in operation.examples if operation else ():
        for skill in example.answer["data"] if is_object(example.answer) else ():
            if skill["source"]["type"] == "anthropic":
                yield skill


def _find(call: Call) -> StoredSkill:
    skill = _skills(call).get(call.path["skill_id"])
    if skill is None:
        raise RefusedError(404, f"skill: {call.path['skill_id'][:80]}")
    return skill


def _find_own(call: Call) -> StoredSkill:
    skill = _find(call)
    if skill.source != "custom":
        raise RefusedError(403, f"Skill {skill.id} is provided by Anthropic")
    return skill


def _find_version(skill: StoredSkill, call: Call) -> StoredVersion:
    name = call.path["version"]
    if name == "latest" and skill.versions:
        return skill.versions[-1]
    for version in skill.versions:
        if name in (version.id, version.stamp):
            return version
    raise RefusedError(404, f"skill version: {name[:80]}")


def _shaped(page: dict[str, Any], call: Call) -> dict[str, Any]:
    if OLDER_SHAPE in call.flags:
        return {**page, "has_more": page["next_page"] is not None}
    return page


def _show(skill: StoredSkill, call: Call) -> dict[str, Any]:
    newest = skill.versions[-1] if skill.versions else None
    shown: dict[str, Any] = {"id": skill.id, "type": "skill"}
    if OLDER_SHAPE in call.flags:
        shown["display_title"] = skill.display_name
        shown["latest_version"] = None if newest is None else newest.stamp
    else:
        shown["display_name"] = skill.display_name
        shown["latest_version_id"] = "" if newest is None else newest.id
    shown["source"] = {"type": skill.source}
    shown["created_at"] = skill.created_at
    shown["updated_at"] = skill.updated_at
    return shown


def _show_version(skill: StoredSkill, version: StoredVersion, call: Call) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": version.id,
        "type": "skill_version",
        "skill_id": skill.id,
        "name": version.name,
        "description": version.description,
        "created_at": version.created_at,
    }
    if OLDER_SHAPE in call.flags:
        shown["directory"] = version.directory
        shown["version"] = version.stamp
    return shown
