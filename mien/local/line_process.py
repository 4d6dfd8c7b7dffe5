"""Asking a process that answers JSON lines with JSON lines, such as those of ``services.detector``."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

import msgspec

from mien.errors import MienError

_REPOSITORY: Final = Path(__file__).parents[2]
AnswerT = TypeVar("AnswerT")


class LineProcessError(MienError):
    """A process ended before it had answered."""


class LineProcess(Generic[AnswerT]):
    """A process that runs as long as it is entered; it works while the question waits for its answer."""

    def __init__(
        self,
        command: Sequence[str | Path],
        answer_type: type[AnswerT],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        self._decoder: msgspec.json.Decoder[AnswerT] = msgspec.json.Decoder(answer_type)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=_REPOSITORY,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def ask(self, question: Any) -> AnswerT:
        """Return the answer to one question, or the first of several.

        Raises:
            LineProcessError: The process ended instead.
        """
        to = self._process.stdin
        assert to is not None
        try:
            to.write(msgspec.json.encode(question) + b"\n")
            to.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        return self.listen()

    def listen(self) -> AnswerT:
        """Return the next answer to a question that has several.

        Raises:
            LineProcessError: The process ended instead.
        """
        answers = self._process.stdout
        assert answers is not None
        if not (line := answers.readline()):
            raise self._ended()
        return self._decoder.decode(line)

    def _ended(self) -> LineProcessError:
        command = " ".join(str(part) for part in self._command[1:])
        return LineProcessError(f"{command} ended with {self._process.wait()}: see what it printed above")


def detector_process(
    module: str,
    answer_type: type[AnswerT],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
) -> LineProcess[AnswerT]:
    """Return a module of the detector as a process to ask, with settings beside those of this process."""
    command = [sys.executable, "-m", f"services.detector.{module}", *arguments]
    return LineProcess(command, answer_type, environment=environment)
