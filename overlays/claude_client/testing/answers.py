"""Which answer an accepted request gets: an example of the spec, or one that is made up.

Every operation is answered from its schemas (see ``made_answers``). For one that does more than
objects that come and go, write a function from ``Call`` to ``Answer`` and enter it in
``HANDLERS``, or in ``STATEFUL_HANDLERS`` if it reads or changes the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from . import batches, files, skills
from .exchange import EVENT_STREAM_TYPE, JSON_LINES_TYPE, Answer, MockRequest, RefusedError
from .json_values import is_object
from .made_answers import made_answer
from .messages import count_input, make_message
from .models import find_model, known_models, list_models
from .stream_events import collapse, event_text, message_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .forms import FormField
    from .identifiers import Identifiers
    from .routing import Example, MockOperation, Router
    from .workspace import Workspace


@dataclass(frozen=True)
class Call:
    """A request that passed every check, taken apart."""

    request: MockRequest
    operation: MockOperation
    router: Router
    identifiers: Identifiers
    path: Mapping[str, str]
    """Path arguments."""
    query: Mapping[str, Any]
    """Query arguments by wire name, in the types of the spec."""
    body: Any
    """Decoded JSON body, or the fields of a form; None when the operation takes none."""
    workspace: Workspace
    """What earlier requests left."""
    now: float
    """Seconds since 1970."""
    check: Callable[[Call], None]
    """Holds the body against the operation's schema, the flags and the version."""
    form: list[FormField] = field(default_factory=list["FormField"], repr=False)
    """Parts of a form, the content of files included."""
    flags: frozenset[str] = frozenset()
    """Beta flags of the request."""
    version: str = ""
    """API version of the request."""
    batch_polls: int = 1
    """How often a batch is asked about before it has ended."""
    uploads_downloadable: bool = False
    """Whether uploaded files can be downloaded."""

    def check_body(self) -> None:
        """Require a valid body.

        Raises:
            RefusedError: 400 with the path and what is wrong there.
        """
        self.check(self)


def answer(call: Call) -> Answer:
    """Return the answer to a call.

    Raises:
        RefusedError: what the call asks for is not there, or the spec has no answer for it.
    """
    stateful = STATEFUL_HANDLERS.get(call.operation.id)
    if stateful is not None:
        return _from_workspace(call, stateful)
    handler = HANDLERS.get(call.operation.id)
    keeps = handler is None and call.router.families.role(call.operation).name != "other"
    exact = None if keeps else _from_example(call)
    if exact is not None:
        return exact
    return made_answer(call, _HANDLED) if handler is None else handler(call)


def _from_workspace(call: Call, handler: Callable[[Call], Answer]) -> Answer:
    """Answer from what earlier requests left, or as an example of the spec with the same path."""
    if call.operation.id == "messages.batches.retrieve":
        batches.answer_ahead(call)
    with call.workspace.lock:
        try:
            return handler(call)
        except RefusedError as refusal:
            example = _with_path(call) if refusal.status == 404 else None
            if example is None:
                raise
    if example.lines is not None:
        return Answer(example.lines.encode(), JSON_LINES_TYPE)
    shown = dict(example.answer)
    url = shown.get("results_url")
    if isinstance(url, str):
        # As it stands, a client would follow it to the real API, key included.
        shown["results_url"] = call.request.origin + urlsplit(url).path
    return Answer.of(shown)


def _with_path(call: Call) -> Example | None:
    """Return the example whose path arguments are those of a call."""
    for example in call.operation.examples:
        named = {name: example.arguments.get(name) for name in call.path}
        if named == dict(call.path) and not example.arguments.keys() - call.path.keys():
            return example
    return None


def _from_example(call: Call) -> Answer | None:
    """Return the answer of the example whose request is this one.

    ``stream`` decides only about the form: an example of a whole answer is streamed on request,
    and an example of a stream is put together when the stream was not asked for.
    """
    if call.body is None:
        return None
    streamed = wants_stream(call)
    argument = call.operation.stream_argument
    wanted = _without(call.body, argument)
    matching = [e for e in call.operation.examples if _without(e.request, argument) == wanted]
    matching.sort(key=lambda e: e.request != call.body)
    return next((found for e in matching if (found := _render(e, streamed))), None)


def _render(example: Example, streamed: bool) -> Answer | None:
    if streamed:
        if example.events is not None:
            usage: Any = collapse(example.events).get("usage")
            return Answer(_chunks(example.events), EVENT_STREAM_TYPE, usage=usage)
        if example.answer is not None:
            return stream(example.answer)
    elif example.answer is not None:
        return Answer.of(example.answer)
    elif example.events is not None:
        return Answer.of(collapse(example.events))
    return None


def _without(body: Any, argument: str | None) -> Any:
    if is_object(body) and argument in body:
        return {key: value for key, value in body.items() if key != argument}
    return body


def _chunks(text: str) -> Iterator[bytes]:
    """Yield an event stream event by event."""
    for event in text.split("\n\n"):
        if event.strip():
            yield f"{event}\n\n".encode()


def wants_stream(call: Call) -> bool:
    """Return whether a call asks for an event stream."""
    argument = call.operation.stream_argument
    return argument is not None and is_object(call.body) and call.body.get(argument) is True


def stream(message: Mapping[str, Any]) -> Answer:
    """Answer with a message as an event stream."""
    chunks = (event_text(event).encode() for event in message_events(message))
    return Answer(chunks, EVENT_STREAM_TYPE, usage=message.get("usage"))


def _create_message(call: Call) -> Answer:
    message = make_message(
        call.body,
        call.identifiers,
        version=call.version,
        models=known_models(call.router),
        files=call.workspace.files,
        cache=call.workspace.prompt_cache,
        threads=call.workspace.threads,
        scope=call.request.header("anthropic-workspace-id") or "",
        now=call.now,
    )
    return stream(message) if wants_stream(call) else Answer.of(message)


def _count_tokens(call: Call) -> Answer:
    models = known_models(call.router)
    return Answer.of(count_input(call.body, version=call.version, models=models))


def _list_models(call: Call) -> Answer:
    return Answer.of(list_models(known_models(call.router), call.query))


def _retrieve_model(call: Call) -> Answer:
    return Answer.of(find_model(known_models(call.router), call.path["model_id"]))


def _create_batch(call: Call) -> Answer:
    matching = (example for example in call.operation.examples if example.request == call.body)
    found = next(matching, None)
    known = found is not None and found.answer["id"] in call.workspace.batches
    return batches.create_batch(call, None if found is None or known else found.answer)


HANDLERS: Final[Mapping[str, Callable[[Call], Answer]]] = {
    "messages.create": _create_message,
    "messages.count_tokens": _count_tokens,
    "models.list": _list_models,
    "models.retrieve": _retrieve_model,
}
"""Answers that are made up, by operation ID."""

STATEFUL_HANDLERS: Final[Mapping[str, Callable[[Call], Answer]]] = {
    "files.delete": files.delete_file,
    "files.download": files.download_file,
    "files.list": files.list_files,
    "files.retrieve_metadata": files.retrieve_file,
    "files.upload": files.upload_file,
    "messages.batches.cancel": batches.cancel_batch,
    "messages.batches.create": _create_batch,
    "messages.batches.delete": batches.delete_batch,
    "messages.batches.list": batches.list_batches,
    "messages.batches.results": batches.batch_results,
    "messages.batches.retrieve": batches.retrieve_batch,
    "skills.create": skills.create_skill,
    "skills.delete": skills.delete_skill,
    "skills.list": skills.list_skills,
    "skills.retrieve": skills.retrieve_skill,
    "skills.versions.create": skills.create_version,
    "skills.versions.delete": skills.delete_version,
    "skills.versions.download": skills.download_version,
    "skills.versions.list": skills.list_versions,
    "skills.versions.retrieve": skills.retrieve_version,
}
"""Answers that depend on earlier requests, by operation ID."""

_HANDLED: Final = frozenset({*HANDLERS, *STATEFUL_HANDLERS})
