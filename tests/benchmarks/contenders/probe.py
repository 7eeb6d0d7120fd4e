"""Runs one contender and prints what it cost: ``probe.py FILE ARGUMENT...`` or ``probe.py -c CODE``.

Nothing is imported before the contender that the interpreter has not imported anyway.
"""

import sys
import time

_argument = sys.argv[1]
del sys.argv[0]
if _argument == "-c":
    _source = sys.argv.pop(1)
else:
    with open(_argument, encoding="utf-8") as _file:  # noqa: PTH123
        _source = _file.read()
_namespace = {"__name__": "__main__", "RESULT": None}
_code = compile(_source, _argument, "exec", dont_inherit=True)

_start = time.process_time()
exec(_code, _namespace)
_cpu = time.process_time()
_modules = sorted(sys.modules)


def _peak_memory() -> "int | None":
    # What getrusage says of a process starts from the memory of its parent on Linux.
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return None
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


_memory = _peak_memory()

import gc  # noqa: E402
import json  # noqa: E402

# A class with slots is made of one without; both are objects until the collector runs.
_classes = {
    f"{item.__module__}.{item.__qualname__}"
    for item in gc.get_objects()
    if isinstance(item, type) and "__attrs_attrs__" in vars(item)
}
print(
    json.dumps(
        {
            "cpu": _cpu,
            "cpu_of_work": _cpu - _start,
            "memory": _memory,
            "modules": _modules,
            "attrs_classes": sorted(_classes),
            "result": _namespace["RESULT"],
        }
    )
)
