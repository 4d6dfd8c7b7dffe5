"""Faults by name, and what they make of a camera's pictures."""

import time

import pytest

from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.clips import AccessUnit, Codec
from mien.simulator.faults import FAULTS, FaultError, Faults

KEYFRAME_EVERY = 3


class Numbers:
    """Pictures that carry their number; each third is a keyframe."""

    size_wh = (2, 2)
    codec: Codec = "h264"
    parameter_sets: tuple[bytes, ...] = ()
    is_live = False

    def __init__(self) -> None:
        self.taken = -1

    def next(self, *, with_jpeg: bool) -> Shown:
        self.taken += 1
        number = b"%d" % self.taken
        return Shown(AccessUnit((number,), self.taken % KEYFRAME_EVERY == 0, duration_ticks=6000), number)


class Collector:
    """A viewer that keeps all it is shown."""

    wants_jpeg = True

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self.shown: list[Shown] = []
        self.is_connected = True

    def show(self, shown: Shown, ticks: int) -> None:
        self.shown.append(shown)

    def disconnect(self) -> None:
        self.is_connected = False

    @property
    def numbers(self) -> list[int]:
        """What it has seen."""
        return [int(shown.unit.nals[0]) for shown in self.shown]


def watched_camera() -> tuple[SimulatedCamera, Collector]:
    camera, viewer = SimulatedCamera("cam", Numbers()), Collector()
    camera.add_viewer(viewer)
    return camera, viewer


async def show(camera: SimulatedCamera, count: int) -> list[int]:
    """Show some pictures; returns for how long each, in ticks."""
    return [await camera.show_next(0) for _ in range(count)]


async def test_a_healthy_camera_shows_every_picture() -> None:
    camera, viewer = watched_camera()
    assert await show(camera, 4) == [6000] * 4
    assert viewer.numbers == [0, 1, 2, 3]


async def test_a_frozen_camera_stands_from_one_keyframe_to_another() -> None:
    camera, viewer = watched_camera()
    await show(camera, 1)
    camera.faults.freeze = True
    await show(camera, 6)
    camera.faults.freeze = False
    await show(camera, 4)
    assert viewer.numbers == [0, 1, 2, 3, 3, 3, 3, 3, 3, 9, 10]


@pytest.mark.parametrize("fault", ["mute", "half_open"])
async def test_a_silent_camera_goes_on_where_it_was(fault: str) -> None:
    camera, viewer = watched_camera()
    await show(camera, 2)
    camera.faults.set(fault)
    assert await show(camera, 5) == [6000] * 5
    camera.faults.heal(fault)
    await show(camera, 2)
    assert viewer.numbers == [0, 1, 2, 3]


async def test_garbage_has_the_size_of_the_pictures_and_nothing_else_of_them() -> None:
    camera, viewer = watched_camera()
    camera.faults.garbage = True
    await show(camera, 40)
    originals = [b"%d" % number for number in range(40)]
    garbled = [shown.unit.nals[0] for shown in viewer.shown]
    assert [len(nal) for nal in garbled] == [len(nal) for nal in originals]
    assert garbled != originals
    assert [shown.jpeg for shown in viewer.shown] != originals


async def test_another_rate_stretches_time() -> None:
    camera, _ = watched_camera()
    camera.faults.set("rate", "0.25")
    assert await show(camera, 2) == [24_000] * 2


async def test_a_slow_start_lasts_as_long_as_it_is_told() -> None:
    camera, viewer = watched_camera()
    camera.faults.slow_start = 10.0
    await show(camera, 1)
    assert viewer.numbers == []
    viewer.began_at -= 10.0
    await show(camera, 1)
    assert viewer.numbers == [1]


def test_another_codec_closes_connections_and_another_size_does_not() -> None:
    camera, viewer = watched_camera()
    camera.change_source(Numbers())
    assert viewer.is_connected
    other = Numbers()
    other.codec = "hevc"
    camera.change_source(other)
    assert not viewer.is_connected


def test_faults_are_set_and_healed_by_name() -> None:
    faults = Faults()
    faults.set("mute")
    faults.set("loss", "0.25")
    assert faults.active() == {"mute": True, "loss": 0.25}
    faults.heal("mute")
    assert faults.active() == {"loss": 0.25}
    faults.heal()
    assert faults == Faults()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("explode", None, "there is no fault 'explode'; there are freeze, "),
        ("mute", "1", "takes no value"),
        ("loss", None, "loss takes a number of share from 0 to 1"),
        ("loss", "1.5", "from 0 to 1, got '1.5'"),
        ("rate", "nan", "rate takes a number"),
        ("clock", "soon", "clock takes a number of s"),
    ],
)
def test_a_wrong_fault_is_told_with_what_was_expected(name: str, value: str | None, words: str) -> None:
    faults = Faults()
    with pytest.raises(FaultError, match=words):
        faults.set(name, value)
    assert faults == Faults()


def test_every_fault_is_described() -> None:
    assert {name.partition("=")[0] for name in FAULTS} == set(vars(Faults()))
    assert all(FAULTS.values())
