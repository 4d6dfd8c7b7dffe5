"""``MIEN_HOME``: the one folder that holds all data of the embedded stack."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mien.local.ports import read_ports
from mien.runtime.secrets import load_keys


class HomeInUseError(Exception):
    """Another ``mien up`` runs on the same folder."""


class NotRunningError(Exception):
    """Nothing is known of a running stack in this folder."""


@dataclass(frozen=True)
class Home:
    """Where things lie in the folder."""

    path: Path

    @classmethod
    def locate(cls, path: Path | None = None) -> "Home":
        """Return the folder that was named, else ``MIEN_HOME``, else ``~/.mien``."""
        return cls((path or Path(os.environ.get("MIEN_HOME") or "~/.mien")).expanduser().resolve())

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def ports(self) -> Path:
        return self.path / "ports.json"

    @property
    def state(self) -> Path:
        return self.path / "state.json"

    @property
    def jobs(self) -> Path:
        return self.path / "jobs"

    @property
    def datasets(self) -> Path:
        """Where folders lie that can be trained on from the dashboard."""
        return self.path / "datasets"

    @property
    def cli_token(self) -> Path:
        return self.path / "secrets" / "cli-token"

    @property
    def first_password(self) -> Path:
        return self.path / "secrets" / "first-admin-password"

    @property
    def secret_keys(self) -> Path:
        return self.path / "secrets" / "keys"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'gateway.sqlite3'}"

    @property
    def import_dir(self) -> Path:
        """Where archives of photos wait until they are read."""
        return self.path / "imports"

    def create(self) -> None:
        """Make the folder and what must be private in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        load_keys(self.secret_keys)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; the kernel lets go of it however the process ends.

        Raises:
            HomeInUseError: Another process holds it.
        """
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise HomeInUseError(
                    f"Mien already runs on {self.path} (process {file.read().strip() or 'unknown'}). "
                    "Stop it with Ctrl-C where it runs, or give this one a folder of its own with --home."
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def write_state(self, processes: list[dict[str, Any]]) -> None:
        """Say what runs, for ``mien status``; readers never see half a file."""
        new = self.state.with_suffix(".new")
        new.write_text(json.dumps({"supervisor_pid": os.getpid(), "processes": processes}, indent=2) + "\n")
        new.replace(self.state)

    def read_state(self) -> dict[str, Any]:
        """Return what runs.

        Raises:
            NotRunningError: Nothing was ever started here, or it has ended, however it ended.
        """
        if not self.state.is_file() or not self._is_locked():
            raise NotRunningError(f"Mien does not run on {self.path}: start it with mien up")
        state: dict[str, Any] = json.loads(self.state.read_text())
        return state

    def _is_locked(self) -> bool:
        with (self.path / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def gateway_url(self) -> str:
        """Return the address of the gateway: ``MIEN_GATEWAY_URL``, else that of this folder's stack.

        Raises:
            NotRunningError: It was never started.
        """
        if url := os.environ.get("MIEN_GATEWAY_URL"):
            return url.rstrip("/")
        ports = read_ports(self.ports)
        if "gateway" not in ports:
            raise NotRunningError(f"Mien was never started on {self.path}: start it with mien up")
        return f"http://127.0.0.1:{ports['gateway']}"

    def open_api(self) -> httpx.Client:
        """Return a client of the gateway's interface that acts as its administrator.

        Raises:
            NotRunningError: The stack was never started here.
        """
        url = self.gateway_url()
        try:
            token = self.cli_token.read_text().strip()
        except FileNotFoundError:
            raise NotRunningError(f"no {self.cli_token}: has the gateway of {url} started?") from None
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)
