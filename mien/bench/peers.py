"""What we are measured against, each in a virtual environment of its own.

A peer's pins would fight with ours, and a peer that shares our packages is not the one its users run.
``requirements/peers/<name>.lock`` holds its packages; the environment is made when it is first needed.
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
LOCKS: Final = REPOSITORY / "requirements" / "peers"
ENVIRONMENTS: Final = REPOSITORY / "var" / "peers"


def peer_python(name: str) -> Path:
    """Return the Python of a peer's environment, which is made first where it is missing or outdated.

    Raises:
        FileNotFoundError: There is no lock file of this name.
        subprocess.CalledProcessError: Its packages can't be installed.
    """
    lock = LOCKS / f"{name}.lock"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    environment = ENVIRONMENTS / name
    python, stamp = environment / "bin" / "python", environment / "lock.sha256"
    if not (stamp.exists() and stamp.read_text() == wanted):
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "-p", sys.executable, environment], check=True)
        # The lock is complete: what a peer's metadata asks for beyond it is left out on purpose.
        packages = ["--require-hashes", "--no-deps", "--requirement", str(lock)]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)
        stamp.write_text(wanted)
    return python


def locked_version(name: str, package: str) -> str:
    """Return the version of a package in a peer's environment.

    Raises:
        KeyError: The peer's lock file has no such package.
    """
    for line in (LOCKS / f"{name}.lock").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.removeprefix(f"{package}==").split()[0]
    raise KeyError(f"{name}.lock has no {package}")
