"""`mien up`, `mien demo` and `mien status`: the whole of Mien on this machine."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated, Final

import httpx
import structlog
import typer
from rich.console import Console

from mien.errors import MienError
from mien.local.home import Home, HomeInUseError, NotRunningError
from mien.local.kafka import REPOSITORY, KafkaUnavailableError
from mien.local.ports import PortTakenError
from mien.local.redis_server import RedisUnavailableError
from mien.local.stack import StackOptions, parse_workers, run_stack
from mien.local.status import render_status
from mien.local.supervisor import StartError

_FAILURES: Final = (
    HomeInUseError,
    KafkaUnavailableError,
    PortTakenError,
    RedisUnavailableError,
    StartError,
    MienError,
    httpx.HTTPError,
)

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of all data (default: MIEN_HOME, else ~/.mien).")
]
WorkersOption = Annotated[str, typer.Option(help="Processes of a service: recognizer=2,emotion=2.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the dashboard.")]
HostOption = Annotated[str, typer.Option(help="Address that the dashboard listens on.")]
ModelRepoOption = Annotated[
    Path, typer.Option("--model-repo", help="Models that are served and trained.", file_okay=False)
]
LogLevelOption = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def up(
    home: HomeOption = None,
    workers: WorkersOption = "",
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    log_level: LogLevelOption = "info",
    model_repo: ModelRepoOption = REPOSITORY / "model_repo",
    demo: Annotated[bool, typer.Option(help="Also run the demo cameras.")] = False,
) -> None:
    """Run everything on this machine until Ctrl-C: broker, Redis, model server and services."""
    console = Console()
    try:
        options = StackOptions(
            home=Home.locate(home),
            workers=parse_workers(workers),
            gateway_host=host,
            gateway_port=port,
            with_demo=demo,
            log_level=log_level,
            model_repo=model_repo.resolve(),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--workers") from None
    # While neighbours start, the clients' own complaints about them are expected.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(run_stack(options, console))
    except _FAILURES as error:
        Console(stderr=True).print(f"[red]Mien did not start:[/] {error}", highlight=False)
        raise typer.Exit(1) from None


def demo(
    home: HomeOption = None,
    workers: WorkersOption = "",
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    log_level: LogLevelOption = "info",
) -> None:
    """Run everything, with simulated cameras that show real faces and people who are enrolled already."""
    up(home=home, workers=workers, port=port, host=host, log_level=log_level, demo=True)


def status(home: HomeOption = None) -> None:
    """Show what runs."""
    place = Home.locate(home)
    try:
        state = place.read_state()
        url = place.gateway_url()
    except NotRunningError as error:
        Console(stderr=True).print(str(error), highlight=False)
        raise typer.Exit(1) from None
    console = Console()
    console.print(render_status(state))
    console.print(f"Dashboard: {url}", highlight=False)
