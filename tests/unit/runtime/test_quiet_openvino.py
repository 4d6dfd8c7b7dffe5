"""OpenVINO is used without telling anybody."""

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import sys
from mien.runtime.quiet_openvino import openvino
assert openvino.Core().available_devices
loaded = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
assert not loaded, loaded
"""


def test_importing_openvino_leaves_no_trace(tmp_path: Path) -> None:
    """The engine works, none of the telemetry package is loaded, and no id is written to the home folder."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=environment | {"HOME": str(tmp_path)}, check=True, timeout=60
    )
    assert list(tmp_path.iterdir()) == []
