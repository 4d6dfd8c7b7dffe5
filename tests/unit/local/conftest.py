"""A gateway for the command line to talk to."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mien.local.home import Home
from mien.local.ports import write_ports
from tests.unit.local.command_line import TOKEN, FakeGateway


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGateway]:
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    fake = FakeGateway()
    home = Home.locate()
    home.create()
    home.cli_token.write_text(TOKEN + "\n")
    write_ports(home.ports, {"gateway": fake.server.server_address[1]})
    thread = threading.Thread(target=fake.server.serve_forever, args=(0.01,))
    thread.start()
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()
