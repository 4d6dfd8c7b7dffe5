"""What a machine needs to run Mien, looked at one by one; each finding says what would fix it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import psutil

from mien.local.home import Home
from mien.local.kafka import REPOSITORY, KafkaUnavailableError, find_java, jars_are_current
from mien.local.ports import is_free
from mien.local.redis_server import RedisUnavailableError, find_redis_server

_MIN_JAVA: Final = 17
_MIN_NODE: Final = 20
_MIN_FREE_DISK_GB: Final = 3.0
_MIN_FREE_MEMORY_GB: Final = 2.0
_MODELS: Final = ("face_embedder", "emotion_classifier")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        fix: The command that mends it; empty when nothing is wrong.
        needed: Whether ``mien up`` can't run without it.
    """

    name: str
    is_well: bool
    detail: str
    fix: str = ""
    needed: bool = True


def examine(home: Home) -> Iterator[Finding]:
    """Look at everything, cheapest first."""
    for check in (_python, _java, _kafka_jars, _redis, _models, _dashboard, _node):
        yield check()
    yield _disk(home)
    yield _memory()
    yield _ports()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fix = "apt-get install python3 python3-venv"
    return Finding("Python 3.11+", sys.version_info >= (3, 11), version, fix)


def _java() -> Finding:
    fix = "apt-get install openjdk-17-jre-headless"
    try:
        java = find_java()
    except KafkaUnavailableError:
        return Finding(f"Java {_MIN_JAVA}+", False, "not found", fix)
    major = _first_number([java, "-version"])
    return Finding(f"Java {_MIN_JAVA}+", major >= _MIN_JAVA, f"version {major} at {java}", fix)


def _kafka_jars() -> Finding:
    fix = f"{sys.executable} -m mien.local.kafka"
    if jars_are_current():
        return Finding("Kafka", True, "jars are there")
    if shutil.which("mvn") is None:
        fix = f"apt-get install maven && {fix}"
    return Finding("Kafka", False, "jars are missing or of another version", fix)


def _redis() -> Finding:
    try:
        return Finding("Redis", True, find_redis_server())
    except RedisUnavailableError:
        return Finding("Redis", False, "not found", "apt-get install redis-server")


def _models() -> Finding:
    repository = REPOSITORY / "model_repo"
    missing = [name for name in _MODELS if not any(repository.glob(f"{name}/[0-9]*/saved_model.pb"))]
    detail = f"missing: {', '.join(missing)}" if missing else "built"
    return Finding("Models", not missing, detail, "bin/mien models build")


def _dashboard() -> Finding:
    is_built = (REPOSITORY / "services" / "dashboard" / "dist" / "index.html").is_file()
    return Finding("Dashboard", is_built, "built" if is_built else "not built", "bin/mien setup")


def _node() -> Finding:
    # Only a changed dashboard needs it again.
    fix = "none needed: bin/mien installs its own into .venv when the dashboard has changed"
    if not (node := shutil.which("node")) or not shutil.which("npm"):
        return Finding(f"Node {_MIN_NODE}+", False, "not found", fix, needed=False)
    major = _first_number([node, "--version"])
    return Finding(f"Node {_MIN_NODE}+", major >= _MIN_NODE, f"version {major}", fix, needed=False)


def _disk(home: Home) -> Finding:
    folder = home.path
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    fix = f"free some space, or choose another folder: MIEN_HOME=… (now {home.path})"
    return Finding("Disk", free_gb >= _MIN_FREE_DISK_GB, f"{free_gb:.0f} GB free for {home.path}", fix)


def _memory() -> Finding:
    free_gb = psutil.virtual_memory().available / 1e9
    fix = "close other programs; all of Mien takes about 2 GB"
    return Finding("Memory", free_gb >= _MIN_FREE_MEMORY_GB, f"{free_gb:.1f} GB available", fix, needed=False)


def _ports() -> Finding:
    taken = [str(port) for port in (8080, 9092, 6379, 8500) if not is_free(port)]
    detail = f"taken: {', '.join(taken)} (others will be used)" if taken else "usual ones are free"
    return Finding("Ports", True, detail)


def _first_number(command: list[str]) -> int:
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    found = re.search(r"\d+", result.stdout + result.stderr)
    return int(found.group()) if found else 0
