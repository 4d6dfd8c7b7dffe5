"""A version's stamp, `assets.extra/build.json`: what it was made from, and each file's checksum."""

import json
from pathlib import Path
from typing import Final

STAMP: Final = "assets.extra/build.json"


def read_stamp(folder: Path) -> dict[str, str]:
    """Return what a version's stamp says about its origin; nothing where there is no readable stamp."""
    try:
        content = json.loads((folder / STAMP).read_text())
        return {key: value for key, value in content.items() if key != "files"}
    except (OSError, ValueError, AttributeError):
        return {}
