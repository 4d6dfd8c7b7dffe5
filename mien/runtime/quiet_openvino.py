"""OpenVINO without its telemetry: import it from here, never directly.

``import openvino`` (2026.4) reports itself to Google Analytics from a forked process and keeps an id under
``~/intel``, unless the package ``openvino_telemetry`` can't be imported; then it takes a stub of its own.
"""

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes its import fail

import openvino  # noqa: E402 - only after telemetry is out of reach
from openvino import opset13, passes  # noqa: E402

__all__ = ["openvino", "opset13", "passes"]
