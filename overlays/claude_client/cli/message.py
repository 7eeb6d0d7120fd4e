"""The commands ``message`` and ``count``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import exit_codes
from .arguments import add_command, as_text, number, positive
from .content import user_content

if TYPE_CHECKING:
    import argparse

    from .session import Session

DEFAULT_MAX_TOKENS = 4096

_PROMPT = (
    "The prompt is the arguments, joined by spaces. The argument - stands for the standard\n"
    "input, and so does no argument at all. "
)


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add what this module does to the program."""
    message = add_command(
        commands,
        "message",
        send_message,
        summary="send a message and show the answer while it is written",
        about=_PROMPT + "With --json the whole message is printed when it\n"
        "is complete, with --stream --json every event of the stream as it comes.",
        example=(
            '{program} message --model claude-sonnet-5-5 "Name three colours"\n'
            "git log -5 | {program} message --system 'Be brief.' Summarize: -\n"
            '{program} message --image chart.png --json "What does this show?"'
        ),
    )
    _add_content(message)
    message.add_argument(
        "--max-tokens",
        type=positive,
        default=DEFAULT_MAX_TOKENS,
        metavar="N",
        help="most tokens to write (default: %(default)s)",
    )
    message.add_argument("--temperature", type=number, metavar="X", help="0 to 1")
    how = message.add_mutually_exclusive_group()
    how.add_argument(
        "--stream", action="store_true", help="show text as it comes, as without --json anyway"
    )
    how.add_argument(
        "--no-stream", action="store_true", help="show the text when the message is complete"
    )
    count = add_command(
        commands,
        "count",
        count_tokens,
        summary="count the input tokens of a message without sending it",
        about=_PROMPT.rstrip(),
        example="{program} count --model claude-sonnet-5-5 --document report.pdf Summarize this",
    )
    _add_content(count)


def _add_content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="PROMPT", help="what to say; - is stdin")
    parser.add_argument("--model", help="ID of the model (default: $ANTHROPIC_MODEL)")
    parser.add_argument("--system", metavar="TEXT", help="system prompt")
    for name, plural, what in (
        ("--image", "images", "an image (PNG, JPEG, GIF, WebP), or its URL"),
        ("--document", "documents", "a PDF or a text, or the URL of a PDF"),
    ):
        parser.add_argument(
            name,
            dest=plural,
            action="append",
            default=[],
            metavar="PATH",
            help=f"{what}; repeatable",
        )
    parser.add_argument(
        "--file",
        dest="files",
        action="append",
        default=[],
        metavar="ID",
        help="a file uploaded before; repeatable",
    )


def _request(session: Session) -> dict[str, Any]:
    """Return the arguments that sending and counting have in common."""
    request: dict[str, Any] = {"model": session.model()}
    if session.options.system is not None:
        request["system"] = as_text(session.options.system)
    request["messages"] = [{"role": "user", "content": user_content(session)}]
    return request


def count_tokens(session: Session, _options: argparse.Namespace) -> int:
    """Print the number of input tokens."""
    counted = session.client.messages.count_tokens(**_request(session))
    if session.output.as_json:
        session.output.json(counted.to_dict())
    else:
        session.output.line(str(counted.input_tokens))
    return exit_codes.OK


def send_message(session: Session, options: argparse.Namespace) -> int:
    """Send one message and print the answer."""
    request = {**_request(session), "max_tokens": options.max_tokens}
    if options.temperature is not None:
        request["temperature"] = options.temperature
    if options.json and options.stream:
        return _print_events(session, request)
    message: Any
    if options.no_stream:
        create: Any = session.client.messages.create
        message = create(**request)
        text = "".join(block.text for block in message.content if block.type == "text")
    elif options.json:
        message = _whole(session, request)
        text = ""
    else:
        message = _print_text(session, request)
        text = ""
    if options.json:
        session.output.json(message.to_dict())
    elif text:
        session.output.text(text if text.endswith("\n") else f"{text}\n")
    _tell_about(session, message)
    return exit_codes.OK


def _print_events(session: Session, request: dict[str, Any]) -> int:
    with session.client.messages.create(**request, stream=True) as events:
        for event in events:
            session.output.json(event.to_dict())
    return exit_codes.OK


def _whole(session: Session, request: dict[str, Any]) -> Any:
    """Return the whole message, streamed: when that is interrupted, something has been read."""
    with session.client.messages.stream(**request) as stream:
        try:
            return stream.get_final_message()
        except KeyboardInterrupt as error:
            if stream.accumulator.started:
                partial = stream.current_message_snapshot.to_dict()
                error.partial_message = partial  # type: ignore[attr-defined]
            raise


def _print_text(session: Session, request: dict[str, Any]) -> Any:
    """Print the text as it comes, and return the message."""
    output = session.output
    last = "\n"
    with session.client.messages.stream(**request) as stream:
        try:
            for text in stream.text_stream:
                # Before it is written: an interrupt may come in between.
                last = text[-1]
                output.text(text)
        except BrokenPipeError:
            raise
        except BaseException:
            # What has come stays, on lines of its own.
            if last != "\n":
                output.text("\n")
            raise
        if last != "\n":
            output.text("\n")
        return stream.get_final_message()


def _tell_about(session: Session, message: Any) -> None:
    """Say why the message ended, if not by itself, and what it took, if that is of interest."""
    if message.stop_reason == "max_tokens":
        limit = session.options.max_tokens
        session.output.note(f"cut off at {limit:,} tokens; --max-tokens takes more")
    elif message.stop_reason not in ("end_turn", "stop_sequence"):
        session.output.note(f"stopped: {message.stop_reason}")
    if session.options.verbose or session.options.debug:
        from ..accumulator import total_input_tokens

        usage = message.usage
        cached = usage.to_dict().get("cache_read_input_tokens") or 0
        session.output.note(
            f"{total_input_tokens(usage):,} input tokens ({cached:,} from the cache), "
            f"{usage.output_tokens:,} output tokens, {message.model}, "
            f"request id {message.request_id}"
        )
