"""The gateway's decisions: names, merging in any order, what may be shown."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.contracts.cameras import Camera
from mien.contracts.events import EmotionEstimated, IdentityDecided
from mien.contracts.shared_state import Preview, TrackResult
from services.gateway.pipeline import (
    emotion_shares,
    live_frame,
    merge_results,
    slug_of,
)
from services.gateway.who import WhoIsWho

CAMERA = Camera(
    camera_id="door",
    name="Door",
    url="rtsp://a/b",
    partition=1,
    emotion_policy="per_person",
    emotion_purpose="study",
)
WHO = WhoIsWho(people={"p1": "Ada"})


def identity(shot_number: int = 1, generation: int = 1, person_id: str | None = "p1") -> IdentityDecided:
    return IdentityDecided(
        camera_id="door", event_id=f"{shot_number}-{generation}", captured_at_ns=1, track_id="door:1:1",
        shot_number=shot_number, state="confirmed", answer="known" if person_id else "unknown",
        model="face_embedder", model_version=1, gallery_generation=generation, person_id=person_id,
        similarity=0.97,
    )  # fmt: skip


def emotion(shot_number: int = 1) -> EmotionEstimated:
    return EmotionEstimated(
        camera_id="door", event_id=f"e{shot_number}", captured_at_ns=1, track_id="door:1:1",
        shot_number=shot_number, label="happy", probabilities={"happy": 1.0}, model="m", model_version=1,
    )  # fmt: skip


def result(identity: IdentityDecided | None = None, emotion: EmotionEstimated | None = None) -> TrackResult:
    return TrackResult(camera_id="door", track_id="door:1:1", identity=identity, emotion=emotion)


def preview() -> Preview:
    return Preview(
        camera_id="door", frame_id="door:1:9", captured_at_ns=10, detected_at_ns=20, size_wh=(640, 360),
        boxes_xyxy=[(1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)], track_ids=["door:1:1", "door:1:2"],
        scores=[0.9, 0.8], jpeg=b"\xff\xd8",
    )  # fmt: skip


@given(name=st.text(max_size=80), taken=st.sets(st.sampled_from(["camera", "camera-2", "a", "a-2"])))
def test_every_name_makes_a_valid_new_id(name: str, taken: set[str]) -> None:
    """Whatever a camera is called, its id is valid and not taken."""
    slug = slug_of(name, taken=frozenset(taken))
    assert slug not in taken
    Camera(camera_id=slug, name=name, url="rtsp://a", partition=0)
    msgspec.convert(slug, type=Camera.__annotations__["camera_id"])


def test_names_become_readable_ids() -> None:
    """Umlauts lose their dots, the rest becomes dashes."""
    assert slug_of("  Vordertür (2) ") == "vordertur-2"
    assert slug_of("Door", taken=frozenset({"door", "door-2"})) == "door-3"


def test_merging_gives_the_same_in_every_order() -> None:
    """The newest of each kind wins, however results arrive, and a replay changes nothing."""
    heard = [
        result(identity(1)),
        result(identity(2)),
        result(identity(2, generation=2)),
        result(None, emotion(3)),
    ]
    expected = result(identity(2, generation=2), emotion(3))
    for order in permutations(heard):
        merged: TrackResult | None = None
        for one in (*order, *order):
            merged = merge_results(merged, one)
        assert merged == expected


def test_boxes_get_what_is_known_of_their_tracks() -> None:
    """Each face keeps its box; a track nobody has judged yet has no answer."""
    frame = live_frame(
        preview(), {"door:1:1": result(identity(), emotion())}, who=WHO, camera=CAMERA, now_ns=30
    )
    first, second = frame.faces
    assert (first.answer, first.person_name, first.similarity) == ("known", "Ada", 0.97)
    assert first.emotion is not None
    assert first.emotion.label == "happy"
    assert (second.answer, second.box_xyxy, second.emotion) == (None, (5.0, 6.0, 7.0, 8.0), None)


@pytest.mark.parametrize("policy", ["off", "aggregate"])
def test_emotion_is_withheld_as_soon_as_the_policy_says_so(policy: str) -> None:
    """What was estimated before is not shown once the camera's policy forbids it."""
    camera = msgspec.structs.replace(CAMERA, emotion_policy=policy)
    frame = live_frame(
        preview(), {"door:1:1": result(identity(), emotion())}, who=WHO, camera=camera, now_ns=30
    )
    assert frame.faces[0].emotion is None
    assert emotion_shares({"happy": 3}, camera) is None


def test_forgotten_person_is_unknown_at_once() -> None:
    """Without a name there is neither person nor similarity."""
    frame = live_frame(preview(), {"door:1:1": result(identity())}, who=WhoIsWho(), camera=CAMERA, now_ns=30)
    face = frame.faces[0]
    assert (face.answer, face.person_id, face.person_name, face.similarity) == ("unknown", None, None, None)


@pytest.mark.parametrize("camera", [None, msgspec.structs.replace(CAMERA, identity_policy="off")])
def test_identity_is_withheld_where_it_is_off(camera: Camera | None) -> None:
    """A camera that recognizes nobody, or is gone, names nobody."""
    frame = live_frame(preview(), {"door:1:1": result(identity())}, who=WHO, camera=camera, now_ns=30)
    assert frame.faces[0].answer is None


def test_shares_are_of_all_estimates() -> None:
    """Shares add up to one; no estimate means no answer."""
    assert emotion_shares({"happy": 3, "sad": 1}, CAMERA) == {"happy": 0.75, "sad": 0.25}
    assert emotion_shares({}, CAMERA) is None
