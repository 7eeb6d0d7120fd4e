"""What is loaded when: importing costs nothing, models are made when first needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import claude_rest
from claude_rest import models, params
from schema_documents import SCHEMAS

ROOT = Path(claude_rest.__file__).parents[1]

COUNT = """
def classes():
    from claude_rest._runtime.struct import Struct
    found, todo = [], [Struct]
    while todo:
        for sub in todo.pop().__subclasses__():
            todo.append(sub)
            if "__attrs_attrs__" in vars(sub):
                found.append(sub.__name__)
    return sorted(found)
def loaded(*prefixes):
    return sorted(m for m in sys.modules if m.split(".")[0] in prefixes or m.startswith(prefixes))
"""
HEAVY = (
    "attr",
    "attrs",
    "httpx",
    "httpcore",
    "ssl",
    "asyncio",
    "dataclasses",
    "inspect",
    "logging",
)


def run(code: str) -> Any:
    """What ``code`` leaves in ``result``, in a fresh interpreter."""
    script = f"import json, sys\n{COUNT}\n{code}\nprint(json.dumps(result))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_importing_the_package_loads_nothing() -> None:
    loaded = run(
        "before = set(sys.modules)\nimport claude_rest\nresult = sorted(set(sys.modules) - before)"
    )
    assert [name for name in loaded if name.split(".")[0] == "claude_rest"] == ["claude_rest"]
    assert not {name.split(".")[0] for name in loaded} & set(HEAVY)


@pytest.mark.parametrize(
    "statement",
    [
        "import claude_rest.models",
        "import claude_rest.params",
        "from claude_rest import Client, AsyncClient; Client(api_key='k'); AsyncClient(api_key='k')",
        "from claude_rest import Client; c = Client(api_key='k'); c.messages.create; c.beta.models",
        "from claude_rest import UNSET, Unset, Struct, Unknown",
        "from claude_rest.operations import OPERATIONS; OPERATIONS['messages.create']; dict(OPERATIONS)",
        "from claude_rest.operations.beta_rules import BETA_RULES",
        "from claude_rest._runtime import codec; codec.dumps({}); codec.loads('{}')",
        "from claude_rest.spec import load_bundle",
    ],
)
def test_nothing_makes_models_before_they_are_needed(statement: str) -> None:
    found = run(
        f"before = set(sys.modules)\n{statement}\n"
        "result = [classes(), sorted(set(sys.modules) - before)]"
    )
    assert found[0] == []
    modules = found[1]
    assert not [name for name in modules if name.startswith("claude_rest.models.")]
    assert not [name for name in modules if name.startswith("claude_rest.params.")]
    assert not {name.split(".")[0] for name in modules} & {"attr", "attrs", "httpx", "ssl"}


def test_listing_the_operations_loads_none() -> None:
    assert run(
        "from claude_rest.operations import OPERATIONS\nlist(OPERATIONS); len(OPERATIONS)\n"
        "result = loaded('claude_rest.operations')"
    ) == ["claude_rest.operations"]


MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 3,
        "output_tokens": 5,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "service_tier": "standard",
    },
}


def test_a_text_message_makes_few_classes() -> None:
    made = run(
        "from claude_rest.models import decoder\n"
        f"message = decoder('Message')(json.loads({json.dumps(MESSAGE)!r}))\n"
        "assert message.to_dict()['id'] == 'msg_1'\nresult = classes()"
    )
    assert {"Message", "TextBlock", "Usage"} <= set(made)
    assert len(made) < 15, made


def test_a_text_stream_makes_few_classes() -> None:
    events = [
        {"type": "message_start", "message": MESSAGE},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    ]
    made = run(
        "from claude_rest.models import decoder\n"
        f"decode = decoder('RawMessageStreamEvent')\n"
        f"for event in json.loads({json.dumps(events)!r}): decode(event)\nresult = classes()"
    )
    assert len(made) < 40, made


def test_no_module_makes_many_classes_at_once() -> None:
    counts = run(
        "import pkgutil, importlib, claude_rest.models as m\nresult = {}\n"
        "for info in pkgutil.walk_packages(m.__path__, m.__name__ + '.'):\n"
        "    module = importlib.import_module(info.name)\n"
        "    result[info.name] = sum(\n"
        "        '__attrs_attrs__' in vars(v) and v.__module__ == info.name\n"
        "        for v in vars(module).values() if isinstance(v, type))\n"
    )
    assert sum(counts.values()) > 200
    assert {name: count for name, count in counts.items() if count > 15} == {}


@pytest.mark.parametrize("package", [models, params], ids=["models", "params"])
def test_every_name_resolves(package: Any) -> None:
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is getattr(package, name)
        assert name in dir(package)
    namespace: dict[str, Any] = {}
    exec(f"from {package.__name__} import *", namespace)
    assert set(package.__all__) <= set(namespace)
    assert "__all__" in dir(package)


@pytest.mark.parametrize(
    "package", [claude_rest, models, params], ids=lambda module: module.__name__
)
def test_an_unknown_name_is_an_attribute_error(package: Any) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'BetaMessage'"):
        _ = package.BetaMessage
    with pytest.raises(ImportError, match="BetaMessage"):
        exec(f"from {package.__name__} import BetaMessage")
    assert not hasattr(package, "__wrapped__")


def test_names_of_the_package() -> None:
    for name in claude_rest.__all__:
        assert getattr(claude_rest, name) is not None
        assert name in dir(claude_rest)


def test_models_and_params_divide_the_components() -> None:
    assert set(models.__all__) - {"decoder", "decoders"} <= set(SCHEMAS)
    assert {name for name in params.__all__ if name in SCHEMAS}
    assert not [name for name in models.__all__ if name.endswith(("Param", "Params"))]


@pytest.mark.parametrize(
    "statement",
    [
        "from claude_rest.models import Message; result = Message.__name__",
        "from claude_rest.models.messages.message import Message; result = Message.__name__",
        "import claude_rest.models as m; result = m.Message.__name__",
        "from claude_rest import models; result = type(models.decoder('Message')({})).__name__",
        "from claude_rest.models import *; result = Message.__name__",
    ],
)
def test_ways_to_a_model(statement: str) -> None:
    assert run(statement) == "Message"


def module_names() -> list[str]:
    folder = ROOT / "claude_rest"
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in folder.rglob("*.py")
    )


def test_every_module_can_be_the_first_to_be_imported() -> None:
    """No order of imports is needed: each module is imported after all others are forgotten."""
    failed = run(
        "import importlib\nresult = {}\n"
        f"for name in {module_names()!r}:\n"
        "    for known in [m for m in sys.modules if m.split('.')[0] == 'claude_rest']:\n"
        "        del sys.modules[known]\n"
        "    try: importlib.import_module(name)\n"
        "    except Exception as error: result[name] = repr(error)\n"
    )
    assert failed == {}


def test_decoders_are_safe_to_share_between_threads() -> None:
    assert (
        run(
            "from concurrent.futures import ThreadPoolExecutor\n"
            "from claude_rest.models import decoder\n"
            f"message = json.loads({json.dumps(MESSAGE)!r})\n"
            "with ThreadPoolExecutor(16) as pool:\n"
            "    made = list(pool.map(lambda _: decoder('Message')(message), range(200)))\n"
            "result = len({type(m) for m in made}) == 1 and all(m == made[0] for m in made)"
        )
        is True
    )
