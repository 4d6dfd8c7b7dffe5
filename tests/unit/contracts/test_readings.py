"""A policy means the same everywhere: who may be read is decided in one place."""

import pytest

from mien.contracts.cameras import Camera, CameraContext, EmotionExemption, EmotionPolicy
from mien.contracts.readings import emotion_allowed, tiredness_allowed, without_readings


def camera(**fields: object) -> Camera:
    return Camera(camera_id="door", name="Door", url="rtsp://x", partition=0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("policy", "allowed"), [("off", False), ("aggregate", True), ("per_person", True)])
def test_policy_decides(policy: EmotionPolicy, allowed: bool) -> None:
    """Emotion is read where the camera's policy says so and nowhere else."""
    assert emotion_allowed(camera(emotion_policy=policy, emotion_purpose="study")) is allowed


def test_nothing_is_read_by_default_or_where_nobody_knows_the_camera() -> None:
    """Nobody has to remember to turn anything off."""
    assert not emotion_allowed(camera())
    assert not tiredness_allowed(camera())
    assert not emotion_allowed(None)
    assert not tiredness_allowed(None)


@pytest.mark.parametrize("fields", [{"emotion_purpose": " "}, {"emotion_purpose": "x", "enabled": False}])
def test_without_a_purpose_or_on_a_camera_that_is_off_nothing_is_read(fields: dict[str, object]) -> None:
    """A record that slipped past the gateway still allows nothing."""
    assert not emotion_allowed(camera(emotion_policy="per_person", **fields))


@pytest.mark.parametrize(
    ("context", "exemption", "allowed"),
    [
        ("workplace", "none", False),
        ("education", "none", False),
        ("workplace", "safety", True),
        ("education", "medical", True),
        ("public", "none", True),
        ("unspecified", "none", True),
    ],
)
def test_at_work_and_in_education_only_with_a_recorded_reason(
    context: CameraContext, exemption: EmotionExemption, allowed: bool
) -> None:
    """As the AI Act's article 5(1)(f) has it."""
    one = camera(
        emotion_policy="aggregate", emotion_purpose="x", context=context, emotion_exemption=exemption
    )
    assert emotion_allowed(one) is allowed


def test_tiredness_has_its_own_switch() -> None:
    """It is a state of the body: allowed at work, and not by turning emotion on."""
    tired = camera(tiredness_policy="per_person", tiredness_purpose="machine safety", context="workplace")
    assert tiredness_allowed(tired)
    assert not emotion_allowed(tired)
    assert not tiredness_allowed(camera(emotion_policy="per_person", emotion_purpose="x"))
    assert not tiredness_allowed(without_readings(tired))
