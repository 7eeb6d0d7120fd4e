"""What a command works with: its streams, its client, its progress bars."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TextIO

from ..progress import ProgressBar
from .arguments import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ..client import Claude
    from .output import Output

MODEL_VARIABLE = "ANTHROPIC_MODEL"


class Session:
    """One run of one command. A context manager; closes what it has opened."""

    def __init__(
        self,
        options: argparse.Namespace,
        output: Output,
        *,
        stdin: TextIO | None,
        environ: Mapping[str, str],
    ) -> None:
        """Open nothing yet."""
        self.options = options
        self.output = output
        self.environ = environ
        self._stdin = stdin
        self._client: Claude | None = None
        self._closing = ExitStack()
        if options.verbose or options.debug:
            self._log(debug=options.debug)

    @property
    def client(self) -> Claude:
        """The client, made when it is first asked for.

        Raises:
            UsageError: ``--mock`` was given, and the mock is not installed.
        """
        if self._client is None:
            from ..client import Claude

            settings = self._settings()
            if self.options.mock:
                settings.update(self._mock())
            self._client = self._closing.enter_context(Claude(**settings))
        return self._client

    def _settings(self) -> dict[str, Any]:
        options = self.options
        given = {
            "base_url": options.base_url,
            "timeout": options.timeout,
            "max_retries": options.max_retries,
        }
        settings: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        settings["betas"] = options.betas
        return settings

    def _mock(self) -> dict[str, Any]:
        from ..testing.extras import MissingExtraError

        try:
            from ..testing.mock_api import MockAPI
            from ..testing.transports import MockTransport

            # Files of a user cannot be downloaded from the API; here there are no others. And
            # nobody else would wait for a batch.
            api = MockAPI(uploads_downloadable=True, batch_polls=0)
        except MissingExtraError as error:
            raise UsageError(f"--mock: {error}") from error
        import httpx

        # What the environment says of proxies would come before the mock.
        http_client = httpx.Client(transport=MockTransport(api), trust_env=False)
        self._closing.enter_context(http_client)
        return {"api_key": "mock-key", "http_client": http_client}

    def _log(self, *, debug: bool) -> None:
        """Show what the client logs, on the stream for errors."""
        import logging

        from ..logs import DEBUG, INFO

        logger = logging.getLogger(__name__.rpartition(".cli.")[0])
        handler = logging.StreamHandler(self.output.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s: %(message)s"))
        self._closing.callback(logger.setLevel, logger.level)
        self._closing.callback(logger.removeHandler, handler)
        logger.addHandler(handler)
        logger.setLevel(DEBUG if debug else INFO)

    def model(self) -> str:
        """Return the model to use: of ``--model``, else of the environment.

        Raises:
            UsageError: neither names one.
        """
        model = self.options.model or self.environ.get(MODEL_VARIABLE, "").strip()
        if not model:
            raise UsageError(
                f"which model? Give --model, or set {MODEL_VARIABLE}; the command 'models' lists "
                "them"
            )
        return str(model)

    @property
    def stdin_is_terminal(self) -> bool:
        """Whether somebody would have to type what is read, or nothing can be read."""
        return self._stdin is None or self._stdin.isatty()

    def read_stdin(self) -> bytes:
        """Return the whole standard input.

        Raises:
            UsageError: there is none.
        """
        if self._stdin is None:
            raise UsageError("there is no standard input")
        buffer = getattr(self._stdin, "buffer", None)
        data: bytes = self._stdin.read().encode("utf-8") if buffer is None else buffer.read()
        return data

    def read_stdin_text(self) -> str:
        """Return the whole standard input as text.

        Raises:
            UsageError: there is none, or it is not UTF-8.
        """
        try:
            return self.read_stdin().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UsageError(f"standard input is not UTF-8 text (byte {error.start})") from None

    def bar(self, label: str, *, unit: str = "") -> ProgressBar:
        """Return a progress bar on the stream for errors, or one that shows nothing."""
        stream = io.StringIO() if self.output.quiet else self.output.stderr
        return self._closing.enter_context(ProgressBar(label, unit=unit, stream=stream))

    def close(self) -> None:
        """Close the client, and take bars off the terminal."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
