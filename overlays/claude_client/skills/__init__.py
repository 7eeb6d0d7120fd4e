"""Skills as files: a folder or an archive on its way up, an archive on its way down.

:mod:`.paths` and :mod:`.members` decide and do no I/O; :mod:`.folders`, :mod:`.archives` and
:mod:`.unpack` read and write. Everything works without a client.
"""

from __future__ import annotations

from .members import ArchiveLimits, Member, check_members
from .paths import JUNK, check_path, is_junk
from .sources import skill_files, skill_parts
from .unpack import async_unpack_skill, unpack_skill

__all__ = [
    "JUNK",
    "ArchiveLimits",
    "Member",
    "async_unpack_skill",
    "check_members",
    "check_path",
    "is_junk",
    "skill_files",
    "skill_parts",
    "unpack_skill",
]
