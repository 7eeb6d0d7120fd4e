"""How much memory a process has, for the contenders of ``file_transfer``."""

import sys


def _status(field: str) -> "int | None":
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            for line in status:
                if line.startswith(field):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def resident() -> int:
    """Forget the peak so far, where the system can, and return the resident memory in bytes."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as forget:  # noqa: PTH123
            forget.write("5")
    except OSError:
        pass
    return _status("VmRSS:") or peak()


def peak() -> int:
    """Return the peak of the resident memory in bytes."""
    found = _status("VmHWM:")
    if found is not None:
        return found
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
