"""Reads what `mien cameras` is told as text: addresses, zones, hours, fingerprints, passwords.

What can't be read is a ``typer.BadParameter`` that says what was expected.
"""

import sys
from pathlib import Path
from typing import Any, Final

import typer

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def read_address(text: str) -> str:
    """Return an address; what is none is the path of a video file."""
    is_address = "://" in text or text.startswith(("file:", "usb:"))
    return text if is_address else Path(text).expanduser().resolve().as_uri()


def read_zone(text: str) -> dict[str, Any]:
    """Read a zone, as in ``movement:0,0 0.3,0 0.3,1 0,1``."""
    kind, colon, corners = text.rpartition(":")
    try:
        points = [[float(value) for value in corner.split(",", 1)] for corner in corners.split()]
    except ValueError:
        points = []
    shares = [value for point in points for value in point]
    is_polygon = len(points) >= 3 and len(shares) == 2 * len(points) and all(0 <= one <= 1 for one in shares)
    if not is_polygon or (colon and kind not in ("movement", "everything")):
        raise typer.BadParameter(
            "expected movement: or everything: and three corners or more, each X,Y from 0 to 1, as in "
            f"'movement:0,0 0.3,0 0.3,1 0,1', got {text!r}"
        )
    return {"points_xy": points, "ignores": kind or "movement"}


def read_schedule(hours: list[str] | None, time_zone: str | None) -> dict[str, Any] | None:
    """Read a schedule, as in ``mon-fri 07:00-18:30`` and ``sat,sun 10:00-16:00``."""
    if not hours:
        if time_zone is not None:
            raise typer.BadParameter("--time-zone goes with --open")
        return None
    if time_zone is None:
        raise typer.BadParameter("--open needs --time-zone, as in Europe/Berlin")
    return {"time_zone": time_zone, "hours": [_open_hours(text) for text in hours]}


def read_fingerprint(text: str | None) -> str | None:
    """Return a fingerprint without the colons that people write it with."""
    return None if text is None else text.replace(":", "").strip().lower()


def read_password(username: str | None, *, from_stdin: bool) -> str | None:
    """Read a camera's password from standard input, or ask for it; None where nobody can be asked."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if username is not None and sys.stdin.isatty():
        return str(typer.prompt("Password of the camera", hide_input=True))
    return None


def _open_hours(text: str) -> dict[str, Any]:
    days, _, times = text.strip().lower().partition(" ")
    start, dash, end = times.strip().partition("-")
    named: list[str] = []
    for part in days.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or not dash:
            raise typer.BadParameter(f"expected days and hours, as in 'mon-fri 07:00-18:30', got {text!r}")
        begin, until = _DAYS.index(first), _DAYS.index(last or first)
        named += [_DAYS[index % 7] for index in range(begin, until + (1 if until >= begin else 8))]
    return {"days": list(dict.fromkeys(named)), "start": start.strip(), "end": end.strip()}
