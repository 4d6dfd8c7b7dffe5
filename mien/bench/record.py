"""The form every measurement is kept in: ``docs/measurements/<name>.json``."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

MEASUREMENTS = Path(__file__).parents[2] / "docs" / "measurements"
_PACKAGES = ("aiokafka", "av", "numpy", "opencv-python-headless", "openvino", "redis")


def machine_facts() -> dict[str, Any]:
    """Return what a reader needs to judge a figure: processor, cores, memory, system."""
    model = platform.processor() or "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "system": platform.platform(terse=True),
    }


def write_measurement(
    name: str, *, runs: list[dict[str, Any]], summary: dict[str, Any], folder: Path = MEASUREMENTS
) -> Path:
    """Write a measurement with the machine and the versions it was made with; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    record = {
        "machine": machine_facts(),
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in _PACKAGES},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": runs,
        "summary": summary,
    }
    path.write_text(json.dumps(record, indent=2) + "\n")
    return path
