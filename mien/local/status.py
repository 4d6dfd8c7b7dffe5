"""What runs, as a table: for the end of a start and for ``mien status``."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

import psutil
from rich.panel import Panel
from rich.table import Table

from mien.local.home import Home
from mien.local.supervisor import SupervisedProcess

_STYLES: Final = {"ready": "green", "not ready": "yellow", "starting": "cyan", "restarting": "red"}


def state_of(processes: Iterable[SupervisedProcess]) -> list[dict[str, Any]]:
    """Return what the state file says of each process."""
    return [
        {
            "name": process.spec.name,
            "state": process.state,
            "pid": process.pid,
            "port": process.spec.port,
            "health_port": process.spec.health_port,
            "restarts": process.restarts,
        }
        for process in processes
    ]


def render_status(state: Mapping[str, Any]) -> Table:
    """Return the table of a running stack; CPU is the average of each process since it started."""
    table = Table("process", "state", "pid", "port", "restarts", "memory", "CPU", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    total_bytes = 0
    for process in state["processes"]:
        rss_bytes, cpu_percent = _usage(process["pid"])
        total_bytes += rss_bytes
        style = _STYLES.get(process["state"], "dim")
        table.add_row(
            process["name"],
            f"[{style}]{process['state']}[/]",
            str(process["pid"] or ""),
            str(process["port"] or ""),
            str(process["restarts"]),
            f"{rss_bytes / 1e6:.0f} MB",
            f"{cpu_percent:.0f} %",
        )
    table.add_row("all", "", "", "", "", f"{total_bytes / 1e6:.0f} MB", "", style="bold")
    return table


def welcome(home: Home, ports: Mapping[str, int]) -> Panel:
    """Return where to look, and the first password as long as nobody has put it away."""
    lines = [f"Dashboard  [bold]http://127.0.0.1:{ports['gateway']}[/]"]
    if home.first_password.is_file():
        password = home.first_password.read_text().strip()
        lines.append(f"Log in as  [bold]admin[/]  with  [bold]{password}[/]")
        lines.append(f"[dim]Change it, then remove {home.first_password}[/]")
    lines.append(f"[dim]Data and logs in {home.path} · Ctrl-C stops everything[/]")
    return Panel("\n".join(lines), title="Mien is running", border_style="green", expand=False)


def _usage(pid: int | None) -> tuple[int, float]:
    if pid is None:
        return 0, 0.0
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            age_seconds = max(time.time() - process.create_time(), 0.1)
            return process.memory_info().rss, 100 * (times.user + times.system) / age_seconds
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0, 0.0
