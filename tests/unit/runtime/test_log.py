"""A crash is told without the values that were in memory."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from mien.runtime.log import configure_logging
from mien.runtime.settings import LogSettings

SCRIPT = """
import structlog
from mien.runtime.log import configure_logging
from mien.runtime.settings import LogSettings

configure_logging(LogSettings(format="{format}"), service="ingest", instance="a-1")
try:
    password = "hun" + "ter2"
    raise ValueError("camera refused")
except ValueError:
    structlog.get_logger().exception("camera.failed", camera_id="door")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_traceback_shows_no_local_variables(log_format: str) -> None:
    """What stood in a local variable may be a password."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(format=log_format)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "camera refused" in ended.stderr
    assert "camera.failed" in ended.stderr
    assert "hunter2" not in ended.stderr


def test_first_start_on_a_new_broker_is_quiet_but_real_trouble_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What aiokafka mends by itself is not an error on somebody's first screen."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    try:
        configure_logging(LogSettings(), service="ingest", instance="a-1")
        coordinator = logging.getLogger("aiokafka.consumer.group_coordinator")
        coordinator.error(
            "Group Coordinator Request failed: %s", "[Error 15] GroupCoordinatorNotAvailableError"
        )
        coordinator.error("Heartbeat failed: %s", "UnknownMemberIdError")
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        structlog.reset_defaults()
    shown = capsys.readouterr().err
    assert "Heartbeat failed" in shown
    assert "Coordinator Request" not in shown
