"""Cameras as a file that can be read again, without their passwords."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import yaml

from mien.contracts.cameras import Camera
from services.gateway.camera_schemas import CameraCreate

_FIRST: Final = ("name", "url", "main_stream_url", "camera_id", "username")
_NEVER: Final = ("password",)
# A spreadsheet would take these for the beginning of a formula.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def to_yaml(cameras: Sequence[Camera]) -> str:
    """Return cameras as YAML; what is as it is by default is left out."""
    document = {"cameras": [_fields(camera) for camera in cameras]}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=200)


def to_csv(cameras: Sequence[Camera]) -> str:
    """Return cameras as CSV; what has no place in a table, such as zones, only YAML holds."""
    rows = [
        {key: value for key, value in _fields(camera).items() if not isinstance(value, list | dict)}
        for camera in cameras
    ]
    columns = list(dict.fromkeys([*_FIRST, *(key for row in rows for key in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _fields(camera: Camera) -> dict[str, Any]:
    values = msgspec.to_builtins(camera)
    fields = {key: values[key] for key in _FIRST if values.get(key) is not None}
    for key, field in CameraCreate.model_fields.items():
        if key in _FIRST or key in _NEVER or key not in values:
            continue
        if values[key] != field.get_default(call_default_factory=True):
            fields[key] = values[key]
    return fields


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f" {value}"  # read again, it is stripped
    return value
