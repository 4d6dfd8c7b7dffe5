"""OpenVINO, kept from calling home: import it from here, before anything else imports it.

`import openvino` by itself reports the import to its makers through the `openvino_telemetry` package, unless
that package is missing; then it uses a stub of its own. So the package is made to look missing.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None is how Python says "missing"

import openvino  # noqa: E402 - only after the line above

__all__ = ["openvino"]
