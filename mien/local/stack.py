"""The whole of Mien on one machine: what runs, in which order, and which settings each process is given."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from mien.local import demo
from mien.local.home import Home
from mien.local.kafka import REPOSITORY, kafka_process, prepare_storage
from mien.local.output import Output
from mien.local.ports import PortTakenError, choose_ports, is_free, read_ports, write_ports
from mien.local.process import ProcessSpec
from mien.local.readiness import is_http_ready
from mien.local.redis_server import redis_process
from mien.local.status import render_status, state_of, welcome
from mien.local.supervisor import Supervisor
from mien.runtime.bus import create_topics
from mien.runtime.settings import KafkaSettings

WORKERS: Final = ("gateway", "ingest", "detector", "recognizer", "emotion", "trainer")
SCALABLE: Final = ("ingest", "detector", "recognizer", "emotion")
MAX_WORKERS: Final = 64
_PREFERRED_PORTS: Final = {"kafka": 9092, "controller": 9093, "redis": 6379, "serving": 8500, "gateway": 8080}
_DEMO_PORT: Final = 8554
_FIRST_HEALTH_PORT: Final = 9101
# Workers scale by processes: a numeric library that takes every core for itself slows all the others.
_ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What a person asked for on the command line.

    Attributes:
        workers: Number of processes of a service, where it is not one.
        gateway_port: Insisted on; None takes the preferred one, or a free one.
        with_demo: Also run the demo cameras.
        model_repo: Models that are served, and that trainings add versions to.
        log_level: Least severe level that the services write.
    """

    home: Home
    workers: Mapping[str, int] = field(default_factory=dict)
    gateway_host: str = "127.0.0.1"
    gateway_port: int | None = None
    with_demo: bool = False
    model_repo: Path = REPOSITORY / "model_repo"
    log_level: str = "info"


def parse_workers(text: str) -> dict[str, int]:
    """Read ``recognizer=2,emotion=2``.

    Raises:
        ValueError: In words for the person who typed it.
    """
    workers: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        if name not in SCALABLE:
            raise ValueError(f"{name!r} can't be scaled; these can: {', '.join(SCALABLE)}")
        if not number.isdecimal() or not 1 <= int(number) <= MAX_WORKERS:
            raise ValueError(f"{part!r}: expected {name}=N with N from 1 to {MAX_WORKERS}")
        workers[name] = int(number)
    return workers


def worker_names(options: StackOptions) -> list[str]:
    """Return the names of all service processes; a second replica is numbered."""
    return [
        service if number == 1 else f"{service}-{number}"
        for service in WORKERS
        for number in range(1, options.workers.get(service, 1) + 1)
    ]


def stack_ports(options: StackOptions) -> dict[str, int]:
    """Choose the ports of all processes, those of the last run where they are free.

    Raises:
        PortTakenError: The gateway's port was insisted on and is taken.
    """
    preferred = dict(_PREFERRED_PORTS)
    remembered = read_ports(options.home.ports)
    if options.gateway_port is not None:
        if not is_free(options.gateway_port):
            raise PortTakenError(f"port {options.gateway_port} is in use: choose another with --port")
        preferred["gateway"] = remembered["gateway"] = options.gateway_port
    if options.with_demo:
        preferred["demo-cameras"] = _DEMO_PORT
    for name in ("model-server", *worker_names(options)):
        preferred[f"{name} health"] = _FIRST_HEALTH_PORT
    return choose_ports(preferred, remembered)


def service_environment(options: StackOptions, ports: Mapping[str, int]) -> dict[str, str]:
    """Return the settings that all services are given."""
    home = options.home
    return {
        **_ONE_THREAD,
        "PYTHONUNBUFFERED": "1",
        "MIEN_HOME": str(home.path),
        "MIEN_LOG_FORMAT": "console",
        "MIEN_LOG_LEVEL": options.log_level,
        "MIEN_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{ports['kafka']}",
        "MIEN_KAFKA_PARTITIONS": str(KafkaSettings().partitions),
        "MIEN_REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "MIEN_SERVING_ADDRESS": f"127.0.0.1:{ports['serving']}",
        "MIEN_MODEL_SERVER_PORT": str(ports["serving"]),
        # The demo's cameras are on this machine, and whoever starts the stack may reach it anyway.
        "MIEN_CAMERAS_NETWORKS": os.environ.get("MIEN_CAMERAS_NETWORKS", "private,public,loopback"),
        "MIEN_SECRETS_KEY_FILE": str(home.secret_keys),
        "MIEN_MODEL_SERVER_MODEL_REPO": str(options.model_repo),
        "MIEN_RECOGNIZER_MODEL_REPO": str(options.model_repo),
        "MIEN_GATEWAY_HOST": options.gateway_host,
        "MIEN_GATEWAY_PORT": str(ports["gateway"]),
        "MIEN_GATEWAY_DATABASE_URL": home.database_url,
        "MIEN_GATEWAY_IMPORT_DIR": str(home.import_dir),
        "MIEN_GATEWAY_CLI_TOKEN_PATH": str(home.cli_token),
        "MIEN_GATEWAY_FIRST_PASSWORD_PATH": str(home.first_password),
        "MIEN_GATEWAY_JOBS_DIR": str(home.jobs),
        "MIEN_GATEWAY_DATASETS_DIR": str(home.datasets),
        "MIEN_GATEWAY_MODEL_REPO": str(options.model_repo),
        "MIEN_TRAINER_HOME": str(home.path),
        "MIEN_TRAINER_MODEL_REPO": str(options.model_repo),
        "MIEN_GATEWAY_DASHBOARD_DIR": str(REPOSITORY / "services" / "dashboard" / "dist"),
    }


def service_process(
    name: str, environment: Mapping[str, str], ports: Mapping[str, int], *, main_port: str | None = None
) -> ProcessSpec:
    """Return how to run one process of a service; *main_port* names its port beside the health port."""
    service = name.rstrip("0123456789").removesuffix("-").replace("-", "_")
    health_port = ports[f"{name} health"]
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-m", f"services.{service}"),
        environment={**environment, f"MIEN_{service.upper()}_HEALTH_PORT": str(health_port)},
        folder=REPOSITORY,
        check_ready=partial(is_http_ready, f"http://127.0.0.1:{health_port}/ready"),
        port=ports[main_port] if main_port else None,
        health_port=health_port,
    )


async def run_stack(options: StackOptions, console: Console) -> None:
    """Run everything until SIGINT or SIGTERM.

    Raises:
        HomeInUseError: Another stack runs on the same folder.
        PortTakenError: A port that was insisted on is in use.
        KafkaUnavailableError: Java or Kafka's jars are missing.
        RedisUnavailableError: No Redis program was found.
        StartError: Something did not become ready; everything is stopped again.
    """
    home = options.home
    home.create()
    output = Output(console, home.logs)
    with home.locked(), output.running():
        ports = stack_ports(options)
        for name, preferred in _PREFERRED_PORTS.items():
            if name != "controller" and ports[name] != preferred:
                output.write("mien", f"{name} listens on {ports[name]} ({preferred} was not used)")
        write_ports(home.ports, ports)
        supervisor = Supervisor(
            output.write, on_change=lambda: home.write_state(state_of(supervisor.processes))
        )
        stop = asyncio.Event()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        starting = asyncio.create_task(_start(supervisor, options, ports=ports, output=output))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                console.print(render_status(home.read_state()), welcome(home, ports), sep="\n")
                await stopping
            output.write("mien", "stopping")
        finally:
            starting.cancel()
            stopping.cancel()
            await supervisor.stop()
            home.state.unlink(missing_ok=True)


async def _start(
    supervisor: Supervisor, options: StackOptions, *, ports: Mapping[str, int], output: Output
) -> None:
    home = options.home
    cameras = [demo.camera_process(port=ports["demo-cameras"])] if options.with_demo else []
    kafka_folder = home.path / "kafka"
    await asyncio.to_thread(
        prepare_storage, kafka_folder, port=ports["kafka"], controller_port=ports["controller"]
    )
    output.write("mien", "starting Kafka and Redis")
    kafka = kafka_process(kafka_folder, port=ports["kafka"])
    await supervisor.start([kafka, redis_process(home.path / "redis", port=ports["redis"])])
    created = await create_topics(KafkaSettings(bootstrap_servers=f"127.0.0.1:{ports['kafka']}"))
    output.write("mien", f"{len(created)} topics created" if created else "all topics are there")
    environment = service_environment(options, ports)
    output.write("mien", "starting the model server")
    await supervisor.start([service_process("model-server", environment, ports, main_port="serving")])
    output.write("mien", "starting the services")
    await supervisor.start(
        service_process(name, environment, ports, main_port="gateway" if name == "gateway" else None)
        for name in worker_names(options)
    )
    token = home.cli_token.read_text().strip()
    if options.with_demo:
        await supervisor.start(cameras)
        await demo.register_demo(home.gateway_url(), token, rtsp_port=ports["demo-cameras"])
    else:
        await demo.remove_cameras(home.gateway_url(), token)
