"""What runs, on which ports, and who may use a home folder."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mien.local import demo
from mien.local.home import Home, HomeInUseError, NotRunningError
from mien.local.ports import PortTakenError, choose_ports, read_ports, write_ports
from mien.local.redis_server import find_redis_server, redis_process
from mien.local.stack import (
    StackOptions,
    parse_workers,
    service_environment,
    service_process,
    stack_ports,
    worker_names,
)
from mien.local.supervisor import StartError
from mien.runtime.settings import KafkaSettings, RedisSettings, ServingSettings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.locate(tmp_path / "home")
    home.create()
    return home


def test_a_taken_port_is_passed_over_and_every_name_gets_its_own() -> None:
    """The first free port from the preferred one up, and never the same twice."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        ports = choose_ports({"a": busy, "b": busy}, {})
    assert busy not in ports.values()
    assert len(set(ports.values())) == 2


def test_ports_of_the_last_run_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart finds the dashboard where the browser still looks for it, unless somebody else is there."""
    path = tmp_path / "ports.json"
    write_ports(path, {"gateway": 9999})
    monkeypatch.setattr("mien.local.ports.is_free", lambda port: True)
    assert choose_ports({"gateway": 8080}, read_ports(path)) == {"gateway": 9999}
    monkeypatch.setattr("mien.local.ports.is_free", lambda port: port != 9999)
    assert choose_ports({"gateway": 8080}, read_ports(path)) == {"gateway": 8080}


def test_the_demo_without_its_videos_says_what_makes_them(tmp_path: Path) -> None:
    """It fails before anything is started."""
    with pytest.raises(StartError, match="bin/mien demo"):
        demo.camera_process(port=1, videos=tmp_path)


@pytest.mark.parametrize("content", ["", "not json", None])
def test_a_missing_or_broken_port_file_is_no_obstacle(tmp_path: Path, content: str | None) -> None:
    """Ports are then chosen afresh."""
    path = tmp_path / "ports.json"
    if content is not None:
        path.write_text(content)
    assert read_ports(path) == {}


def test_a_port_that_was_insisted_on_must_be_free(home: Home) -> None:
    """`--port` is never silently replaced by another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTakenError, match="is in use"):
            stack_ports(StackOptions(home=home, gateway_port=taken.getsockname()[1]))


def test_replicas_are_numbered_and_each_has_a_health_port_of_its_own(home: Home) -> None:
    """Two recognizers are two processes with the same settings but for the health port."""
    options = StackOptions(home=home, workers=parse_workers("recognizer=2, emotion=1"))
    assert worker_names(options) == [
        "gateway",
        "ingest",
        "detector",
        "recognizer",
        "recognizer-2",
        "emotion",
        "trainer",
    ]
    ports = stack_ports(options)
    environment = service_environment(options, ports)
    first, second = (service_process(name, environment, ports) for name in ("recognizer", "recognizer-2"))
    assert first.command == second.command == (sys.executable, "-m", "services.recognizer")
    assert first.environment["MIEN_RECOGNIZER_HEALTH_PORT"] == str(ports["recognizer health"])
    assert second.environment["MIEN_RECOGNIZER_HEALTH_PORT"] == str(ports["recognizer-2 health"])
    assert ports["recognizer health"] != ports["recognizer-2 health"]


def test_the_model_server_is_given_the_port_that_workers_call(home: Home) -> None:
    """Its own port and the address that the others are given are the same."""
    options = StackOptions(home=home)
    ports = stack_ports(options)
    environment = service_environment(options, ports)
    spec = service_process("model-server", environment, ports, main_port="serving")
    assert spec.command[-1] == "services.model_server"
    assert environment["MIEN_SERVING_ADDRESS"] == f"127.0.0.1:{environment['MIEN_MODEL_SERVER_PORT']}"


def test_services_understand_the_shared_settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `mien up` passes on is what the shared settings read."""
    options = StackOptions(home=home)
    ports = stack_ports(options)
    for name, value in service_environment(options, ports).items():
        monkeypatch.setenv(name, value)
    assert KafkaSettings().bootstrap_servers == f"127.0.0.1:{ports['kafka']}"
    assert RedisSettings().url.get_secret_value() == f"redis://127.0.0.1:{ports['redis']}/0"
    assert ServingSettings().address == f"127.0.0.1:{ports['serving']}"


@pytest.mark.parametrize(
    "text", ["gateway=2", "kafka=2", "recognizer", "recognizer=0", "recognizer=two", "emotion=65"]
)
def test_workers_that_make_no_sense_are_refused(text: str) -> None:
    """The message says what is expected."""
    with pytest.raises(ValueError, match=r"can't be scaled|expected"):
        parse_workers(text)


def test_two_stacks_never_share_a_home(home: Home) -> None:
    """The second is refused in words that name the first; after the first has ended, it may."""
    holder = (
        "import sys; from mien.local.home import Home\n"
        "with Home.locate().locked(): print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", holder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "MIEN_HOME": str(home.path)},
        text=True,
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    with pytest.raises(HomeInUseError, match=f"process {first.pid}"), home.locked():
        pass
    first.kill()
    first.communicate()
    with home.locked():
        pass


def test_the_state_of_a_stack_whose_supervisor_was_killed_is_not_shown(home: Home) -> None:
    """The file stays behind then, but nobody holds the folder any more."""
    with home.locked():
        home.write_state([{"name": "kafka"}])
        assert home.read_state()["processes"] == [{"name": "kafka"}]
    with pytest.raises(NotRunningError, match="does not run"):
        home.read_state()


def test_secrets_lie_in_a_private_folder(home: Home) -> None:
    """Other users of the machine read neither the token nor the first password."""
    assert stat.S_IMODE(home.cli_token.parent.stat().st_mode) == 0o700


def test_a_stack_that_does_not_run_is_said_so(home: Home) -> None:
    """`mien status` and the REST commands name the command that starts it."""
    for ask in (home.read_state, home.gateway_url, home.open_api):
        with pytest.raises(NotRunningError, match="mien up"):
            ask()


def test_the_state_file_is_always_whole(home: Home) -> None:
    """It is replaced, never written in place."""
    home.write_state([{"name": "kafka"}])
    home.write_state([{"name": "redis"}])
    assert json.loads(home.state.read_text())["processes"] == [{"name": "redis"}]
    assert not list(home.path.glob("*.new"))


def test_valkey_of_the_wheel_stands_in_where_the_machine_has_no_redis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without `redis-server` on the PATH, the wheel's program is used, with the same options."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(find_redis_server()).name == "valkey-server"
    command = redis_process(tmp_path / "redis", port=1).command
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--bind") + 1] == "127.0.0.1"
