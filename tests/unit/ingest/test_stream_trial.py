"""What is measured on a stream, and what people are told about it."""

import pytest

from mien.contracts.camera_requests import StreamReport
from services.ingest.advice import advice_for, warnings_for
from services.ingest.failures import ENDED, NO_ANSWER, SILENT, STALLED
from services.ingest.traffic import Traffic


def watched(seconds: float, *, fps: int = 10, keyframe_every: int = 20, size_bytes: int = 1000) -> Traffic:
    """Return what a steady stream looks like after so long."""
    traffic = Traffic()
    for index in range(int(seconds * fps) + 1):
        traffic.note(size_bytes, 100 + index / fps, is_keyframe=index % keyframe_every == 0)
    return traffic


def test_steady_stream_is_measured() -> None:
    """Rates are by the stream's own time, whenever it began."""
    traffic = watched(6)
    assert traffic.fps == pytest.approx(10)
    assert traffic.bitrate_kbps == pytest.approx(80)
    assert traffic.keyframe_interval_seconds == pytest.approx(2)


def test_what_is_too_short_to_tell_is_not_told() -> None:
    """A moment's pictures say nothing of a rate, and one keyframe nothing of an interval."""
    assert Traffic().fps is None
    assert watched(0.3).fps is None
    assert watched(0.3).bitrate_kbps is None
    assert watched(1).keyframe_interval_seconds is None


def test_stream_of_keyframes_alone_has_no_interval() -> None:
    """JPEGs are all whole pictures."""
    assert watched(3, keyframe_every=1).keyframe_interval_seconds is None


def report(**changes: object) -> StreamReport:
    """Return a stream that leaves nothing to wish for, with something changed."""
    good = {
        "codec": "h264",
        "size_wh": (1280, 720),
        "measured_fps": 12.0,
        "keyframe_interval_seconds": 2.0,
        "clock_skew_seconds": 0.4,
    }
    return StreamReport(**{**good, **changes})  # type: ignore[arg-type]  # what the test says


def test_good_stream_is_not_nagged_about() -> None:
    """Nothing to do, nothing said; nor about what is not known."""
    assert warnings_for(report()) == []
    assert warnings_for(StreamReport(codec="mjpeg", size_wh=(640, 360))) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size_wh": (3840, 2160)}, "smaller stream"),
        ({"size_wh": (352, 288)}, "larger stream"),
        ({"keyframe_interval_seconds": 10.0}, "every 10 s"),
        ({"measured_fps": 2.0}, "few for people who walk"),
        ({"measured_fps": 30.0}, "10 to 15 save work"),
        ({"clock_skew_seconds": -7200.0}, "2 hours behind"),
        ({"clock_skew_seconds": 40.0}, "40 s ahead"),
    ],
)
def test_what_could_be_better_is_told_with_what_to_do(changes: dict[str, object], words: str) -> None:
    """One sentence for each."""
    (warning,) = warnings_for(report(**changes))
    assert words in warning


@pytest.mark.parametrize("failure", [ENDED, STALLED, SILENT, NO_ANSWER])
def test_every_failure_has_its_advice(failure: object) -> None:
    """Whoever reads that a camera does not answer wants to know what to look at."""
    assert advice_for(failure.key)  # type: ignore[attr-defined]  # a Failure
