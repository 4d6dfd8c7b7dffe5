"""The settings under which ``mien bench spending`` asks about every face of every frame do just that."""

import numpy as np
import pytest

from mien.bench.spending import EVERY_FRAME
from mien.runtime.settings import load_settings
from services.detector.config import DetectorSettings
from services.detector.shots import ShotPlan, View
from services.ingest.config import IngestSettings
from services.ingest.pipeline import MotionGate

FRAMES = 150
VIEW = View(0.0, np.array([100, 100, 200, 200], np.float32))


@pytest.fixture(autouse=True)
def _every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EVERY_FRAME.items():
        monkeypatch.setenv(name, value)


def test_each_view_is_sent_for_identity_and_emotion_however_poor() -> None:
    """At 30 frames a second, whatever was sent before."""
    plan = ShotPlan(load_settings(DetectorSettings, EVERY_FRAME).shots())
    for number in range(1, FRAMES + 1):
        choice = plan.choose(VIEW, 1_000_000_000 + number * 33_000_000, ("identity", "emotion"))
        assert choice.numbers == {"identity": number, "emotion": number}
        assert not choice.skipped


def test_the_motion_gate_lets_pictures_through_that_hardly_differ() -> None:
    """One pixel of a picture, by two steps, is enough; nothing at all is still nothing."""
    settings = load_settings(IngestSettings, EVERY_FRAME)
    gate = MotionGate(
        luma_step=settings.motion_luma_step,
        area_ratio=settings.motion_area_ratio,
        heartbeat_seconds=settings.heartbeat_seconds,
    )
    picture = np.full((90, 160), 100, np.uint8)
    assert gate.decide(picture, 0.0, watched=False) == "moved"
    assert gate.decide(picture, 0.2, watched=False) == "skipped"
    picture[45, 80] += 2
    assert gate.decide(picture, 0.4, watched=False) == "moved"
