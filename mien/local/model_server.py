"""The model server alone, for whoever embeds or classifies without the rest of the stack."""

import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mien.errors import MienError
from mien.local.ports import choose_ports
from mien.local.process import ProcessSpec
from mien.local.readiness import is_http_ready
from mien.local.supervisor import StartError, Supervisor

_REPOSITORY: Final = Path(__file__).parents[2]
_FIRST_PORTS: Final = {"serving": 8600, "health": 9400}
_LAST_WORDS: Final = 5


class ModelServerError(MienError):
    """The model server did not start; the message ends with what it said last."""


@dataclass(frozen=True)
class RunningModelServer:
    """A model server that is ready: its gRPC address, and its process."""

    address: str
    pid: int


@asynccontextmanager
async def running_model_server(
    model_repo: Path, settings: Mapping[str, object] | None = None
) -> AsyncIterator[RunningModelServer]:
    """Run the model server over a repository until the context ends, each model on one thread.

    Args:
        settings: More of its settings, such as ``{"MAX_BATCH_SIZE": 64}``.

    Raises:
        ModelServerError: It did not become ready.
    """
    ports = choose_ports(_FIRST_PORTS, {})
    values = {
        "PORT": ports["serving"],
        "HEALTH_PORT": ports["health"],
        "MODEL_REPO": model_repo,
        **(settings or {}),
    }
    spec = ProcessSpec(
        name="model-server",
        command=(sys.executable, "-m", "services.model_server"),
        environment={f"MIEN_MODEL_SERVER_{name}": str(value) for name, value in values.items()},
        folder=_REPOSITORY,
        check_ready=partial(is_http_ready, f"http://127.0.0.1:{ports['health']}/ready"),
        port=ports["serving"],
        health_port=ports["health"],
        start_timeout_seconds=180.0,  # a network of half a gigabyte takes its time
    )
    said: deque[str] = deque(maxlen=_LAST_WORDS)
    supervisor = Supervisor(lambda _, line: said.append(line))
    try:
        try:
            await supervisor.start([spec])
        except StartError as error:
            raise ModelServerError("\n".join([str(error), *said])) from error
        (process,) = supervisor.processes
        if process.pid is None:
            raise ModelServerError("\n".join(["the model server ended", *said]))
        yield RunningModelServer(f"127.0.0.1:{ports['serving']}", process.pid)
    finally:
        await supervisor.stop()
