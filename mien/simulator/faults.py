"""What simulated cameras can be made to do wrong: by Python, the control port or the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from mien.errors import MienError


class FaultError(MienError):
    """There is no such fault, or not with this value."""


def _switch(words: str) -> Any:
    return field(default=False, metadata={"words": words})


def _amount(default: float, words: str, unit: str, low: float, high: float) -> Any:
    return field(default=default, metadata={"words": words, "unit": unit, "bounds": (low, high)})


@dataclass
class Faults:
    """The faults of one camera; as they are made, it has none. They may be combined."""

    freeze: bool = _switch("the same picture again and again, from the next keyframe on")
    mute: bool = _switch("connections stay open and are answered, but nothing is sent")
    half_open: bool = _switch(
        "as if the cable were pulled: nothing is sent, nothing is answered, nothing is closed"
    )
    reject: bool = _switch("no password is right any more; who is connected stays")
    garbage: bool = _switch("random bytes in the place of every picture")
    loss: float = _amount(0.0, "share of RTP packets that never arrive (RTSP)", "share", 0.0, 1.0)
    slow_start: float = _amount(0.0, "new connections wait this long for a picture", "s", 0.0, 600.0)
    slow_network: float = _amount(
        0.0, "each connection gets no more than this; 0 is no limit (all but RTP over UDP)", "kB/s", 0.0, 1e6
    )
    clock: float = _amount(
        0.0, "the camera's clock, in RTCP reports, HTTP dates and ONVIF, jumps by this", "s", -1e9, 1e9
    )
    rate: float = _amount(
        1.0, "sends this many times the pictures that it says, as slow or fast motion", "x", 0.01, 10.0
    )

    wrong_host: bool = _switch("over ONVIF it names a host that leads nowhere, as from behind a router")

    @property
    def is_silent(self) -> bool:
        """Whether nothing is sent to anybody."""
        return self.mute or self.half_open

    @property
    def bytes_per_second(self) -> float:
        """What a connection gets at most; 0 is no limit."""
        return self.slow_network * 1000

    def set(self, name: str, value: str | None = None) -> None:
        """Switch a fault on, or to an amount given as text.

        Raises:
            FaultError: It says which faults there are, or which values.
        """
        known = {one.name: one for one in fields(self)}
        if name not in known:
            raise FaultError(f"there is no fault {name!r}; there are {', '.join(known)}")
        bounds = known[name].metadata.get("bounds")
        if bounds is None:
            if value is not None:
                raise FaultError(f"{name} is on or off and takes no value, got {value!r}")
            setattr(self, name, True)
            return
        low, high = bounds
        expected = f"{name} takes a number of {known[name].metadata['unit']} from {low:g} to {high:g}"
        try:
            amount = float(value or "")
        except ValueError:
            raise FaultError(f"{expected}, got {value!r}") from None
        if not low <= amount <= high:
            raise FaultError(f"{expected}, got {value!r}")
        setattr(self, name, amount)

    def heal(self, name: str | None = None) -> None:
        """Undo a fault, or all.

        Raises:
            FaultError: There is no such fault.
        """
        healthy = Faults()
        names = [one.name for one in fields(self)]
        if name is not None and name not in names:
            raise FaultError(f"there is no fault {name!r}; there are {', '.join(names)}")
        for one in names if name is None else [name]:
            setattr(self, one, getattr(healthy, one))

    def active(self) -> dict[str, bool | float]:
        """Return what is wrong now."""
        healthy = Faults()
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(healthy, name)}


def _describe() -> dict[str, str]:
    described = {}
    for one in fields(Faults):
        unit = one.metadata.get("unit")
        described[one.name + (f"={unit.upper()}" if unit else "")] = one.metadata["words"]
    return described


FAULTS: Final[Mapping[str, str]] = _describe()
"""Each fault, as it is written on a command line, and what it does."""
