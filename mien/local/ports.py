"""Ports that are free now, the same as last time where possible."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path


class PortTakenError(Exception):
    """A port that was asked for by number is in use."""


def is_free(port: int) -> bool:
    """Whether nothing listens on a port, neither on loopback nor on all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def choose_ports(preferred: Mapping[str, int], remembered: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name: the remembered one, else the first free from the preferred one up."""
    chosen: dict[str, int] = {}
    for name, start in preferred.items():
        candidates = [remembered[name]] if name in remembered else []
        candidates += range(start, min(start + 500, 65536))
        taken = set(chosen.values())
        port = next((port for port in candidates if port not in taken and is_free(port)), None)
        if port is None:
            raise PortTakenError(f"no free port for {name} between {start} and {start + 499}")
        chosen[name] = port
    return chosen


def read_ports(path: Path) -> dict[str, int]:
    """Return the ports of the last run; empty when there was none."""
    try:
        return {str(name): int(port) for name, port in json.loads(path.read_text()).items()}
    except (FileNotFoundError, ValueError):
        return {}


def write_ports(path: Path, ports: Mapping[str, int]) -> None:
    """Remember the ports for the next run and for the command line."""
    path.write_text(json.dumps(dict(ports), indent=2) + "\n")
