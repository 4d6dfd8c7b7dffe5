"""Starts the model server as its own process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import httpx

from mien.local.ports import choose_ports
from mien.local.process import ProcessSpec
from tests.stack import run_native

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class RunningServer:
    """A model server that is ready."""

    address: str
    health_url: str
    process: "Popen[bytes]"

    def metric(self, sample: str) -> float:
        """Value of one sample, such as `mien_model_batch_size_count{model="slow"}`; 0 when there is none."""
        for line in httpx.get(f"{self.health_url}/metrics").text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0


@contextmanager
def run_model_server(model_repo: Path, log_path: Path, **settings: object) -> Iterator[RunningServer]:
    """Run the model server with settings such as `MAX_BATCH_SIZE=2` until the context ends."""
    ports = choose_ports({"grpc": 24500, "health": 24800}, {})
    health_url = f"http://127.0.0.1:{ports['health']}"
    values = {
        "PORT": ports["grpc"],
        "HEALTH_PORT": ports["health"],
        "MODEL_REPO": model_repo,
        "POLL_SECONDS": 0.1,
        **settings,
    }

    async def is_ready() -> bool:
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{health_url}/ready")).status_code == 200
        except httpx.TransportError:
            return False

    spec = ProcessSpec(
        name="model-server",
        command=(sys.executable, "-m", "services.model_server"),
        environment={f"MIEN_MODEL_SERVER_{name}": str(value) for name, value in values.items()},
        folder=REPOSITORY,
        check_ready=is_ready,
        start_timeout_seconds=120,  # a network of half a gigabyte takes its time
    )
    with run_native(spec, log_path=log_path) as process:
        yield RunningServer(f"127.0.0.1:{ports['grpc']}", health_url, process)
