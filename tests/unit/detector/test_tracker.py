"""Faces are followed through time, and never mistaken for one another over a jump."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.detector.detection import Detections
from services.detector.looks import Looks, unit_rows
from services.detector.tracker import FaceTracker, TrackerSettings, TrackingStep
from tests.unit.detector.faces import at, detections, looks

START_NS = 1_700_000_000_000_000_000


class Clip:
    """Feeds a tracker frames at chosen times."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.tracker = FaceTracker("door", 3, settings=settings)
        self.seconds = 0.0

    def see(self, faces: Detections, after: float = 0.2, looks: Looks | None = None) -> TrackingStep:
        self.seconds += after
        return self.tracker.update(faces, START_NS + int(self.seconds * 1e9), looks)


def ids(step: TrackingStep) -> list[str]:
    """Return the track of each detection, by row."""
    return [face.track_id for face in sorted(step.faces, key=lambda face: face.detection_index)]


def test_two_hits_make_a_track() -> None:
    """A moderately sure face is a track from its second frame on, under an id of camera, epoch and number."""
    clip = Clip()
    assert clip.see(at((100, 100))) == TrackingStep([], [], [], 0)
    assert clip.see(at((102, 100))).started == ["door:3:1"]


def test_a_sure_face_is_a_track_at_once() -> None:
    """A detection above the confirming score needs no second frame."""
    assert Clip().see(at((100, 100), score=0.999)).started == ["door:3:1"]


def test_what_flickers_is_no_track() -> None:
    """Unsure faces that don't come in a row never start anything."""
    clip = Clip()
    steps = [clip.see(faces) for faces in [at((100, 100)), Detections.none()] * 4]
    assert all(not step.started and not step.faces for step in steps)


def test_a_still_face_keeps_its_id() -> None:
    """Boxes that wander by a few pixels stay one track."""
    clip, random = Clip(), np.random.default_rng(1)
    steps = [
        clip.see(at((100 + random.normal(0, 3), 100 + random.normal(0, 3)), score=0.99)) for _ in range(50)
    ]
    assert {track for step in steps for track in ids(step)} == {"door:3:1"}


@pytest.mark.parametrize("frames_per_second", [1, 2, 5, 15, 30])
def test_a_walker_is_one_track_at_any_frame_rate(frames_per_second: int) -> None:
    """The same walk (a face's width a second) is one track however often it is looked at."""
    clip = Clip(TrackerSettings(max_gap_seconds=2.5))
    steps = [
        clip.see(
            at((50 + 60 * i / frames_per_second, 100), score=0.99),
            after=1 / frames_per_second,
            looks=looks(1),
        )
        for i in range(6 * frames_per_second)
    ]
    assert {track for step in steps for track in ids(step)} == {"door:3:1"}


def test_a_fast_walker_is_followed_by_prediction() -> None:
    """A face that moves almost its own width per frame has no overlap with itself, yet stays one track."""
    clip = Clip()
    steps = [clip.see(at((50 + 55 * i, 100), score=0.99)) for i in range(10)]
    assert {track for step in steps for track in ids(step)} == {"door:3:1"}


def test_an_uneven_clock_is_no_jump() -> None:
    """After a dropped frame the face is as much farther as time has passed, and is the same track."""
    clip = Clip()
    times = [0.0, 0.2, 0.4, 0.6, 1.2, 1.4, 2.0]
    steps = [
        clip.see(at((50 + 150 * now, 100), score=0.99), after=now - before if now else 0.2)
        for before, now in zip([0.0, *times], times, strict=False)
    ]
    assert {track for step in steps for track in ids(step)} == {"door:3:1"}


def test_crossing_faces_keep_their_ids() -> None:
    """Two people who pass each other leave with the ids they came with."""
    clip = Clip()
    for i in range(21):
        step = clip.see(at((100 + 20 * i, 100), (500 - 20 * i, 130), score=0.99))
        first, second = ids(step)
        assert (first, second) == ("door:3:1", "door:3:2")


def test_a_short_gap_is_survived() -> None:
    """A face covered for a second comes back as the same track, and nothing ended."""
    clip = Clip()
    for _ in range(3):
        clip.see(at((100, 100), score=0.99))
    gap = [clip.see(Detections.none()) for _ in range(5)]
    back = clip.see(at((104, 98), score=0.99))
    assert ids(back) == ["door:3:1"]
    assert all(step.ended == [] and step.faces == [] for step in gap)


def test_a_long_gap_ends_the_track_once() -> None:
    """Gone for longer than the gap, a track ends with its times and count, and its id is not used again."""
    clip = Clip()
    for _ in range(3):
        clip.see(at((100, 100), score=0.99))
    ended = [track for _ in range(20) for track in clip.see(Detections.none()).ended]
    assert [(track.track_id, track.frames_seen) for track in ended] == [("door:3:1", 3)]
    assert ended[0].last_seen_at_ns - ended[0].started_at_ns == pytest.approx(0.4e9, abs=10)
    assert clip.see(at((100, 100), score=0.99)).started == ["door:3:2"]


def test_the_gap_is_time_not_frames() -> None:
    """Ten missed frames at 30 fps are nothing; two at one frame in two seconds are the end."""
    fast, slow = Clip(), Clip()
    for clip in (fast, slow):
        clip.see(at((100, 100), score=0.99))
    assert all(not fast.see(Detections.none(), after=1 / 30).ended for _ in range(10))
    assert len(slow.see(Detections.none(), after=2).ended) == 1


def test_a_jump_is_somebody_else() -> None:
    """A face that turns up elsewhere from one frame to the next is a new track."""
    clip = Clip()
    for _ in range(4):
        clip.see(at((100, 100), score=0.99))
    assert ids(clip.see(at((190, 100), score=0.99))) == ["door:3:2"]


def test_another_size_is_somebody_else() -> None:
    """A face three times as large in the same place is a new track."""
    clip = Clip()
    for _ in range(4):
        clip.see(at((100, 100), score=0.99))
    assert ids(clip.see(at((100, 100), side=200, score=0.99))) == ["door:3:2"]


def test_too_many_faces_are_refused_and_counted() -> None:
    """Beyond the most tracks allowed, faces are not followed; the step says how many."""
    clip = Clip(TrackerSettings(max_tracks=2))
    step = clip.see(at((100, 100), (300, 100), (500, 100), score=0.99))
    assert (len(step.faces), step.refused) == (2, 1)


def test_time_runs_forward() -> None:
    """A frame that is not newer than the last is an error."""
    clip = Clip()
    clip.see(at((100, 100)))
    with pytest.raises(ValueError, match="expected a frame after"):
        clip.see(at((100, 100)), after=0)


def test_ending_all_forgets_all() -> None:
    """Ending all tracks returns the confirmed ones, and the same face is a new track afterwards."""
    clip = Clip()
    clip.see(detections([[70, 70, 130, 130], [270, 70, 330, 130]], [0.99, 0.85]))
    assert [track.track_id for track in clip.tracker.end_all()] == ["door:3:1"]
    assert clip.tracker.confirmed_count == 0
    assert clip.see(at((100, 100), score=0.99)).started == ["door:3:3"]


def test_looks_tell_apart_who_turns_back_from_who_passes() -> None:
    """Two meet, one covers the other, and both go back whence they came: motion would exchange them."""
    clip = Clip()
    there = [(100 + 20 * i, 500 - 20 * i) for i in range(10)]
    for left, right in there:
        clip.see(at((left, 100), (right, 100), score=0.99), looks=looks(1, 2))
    clip.see(at((300, 100), score=0.99), looks=looks(1))
    for left, right in reversed(there):
        step = clip.see(at((left, 100), (right, 100), score=0.99), looks=looks(1, 2))
        assert ids(step) == ["door:3:1", "door:3:2"]


def test_somebody_else_in_the_same_place_is_a_new_track() -> None:
    """After a gap in the stream, who sits there now and looks different is not who sat there before."""
    clip = Clip()
    for _ in range(5):
        clip.see(at((100, 100), score=0.99), looks=looks(1))
    assert ids(clip.see(at((100, 100), score=0.99), after=1.0, looks=looks(2))) == ["door:3:2"]
    assert ids(clip.see(at((100, 100), score=0.99), after=1.0, looks=looks(2))) == ["door:3:2"]


def test_a_face_that_looks_different_for_a_moment_stays() -> None:
    """A hand before a face that stays where it was is no reason to begin anew."""
    clip = Clip()
    for _ in range(10):
        clip.see(at((100, 100), score=0.99), looks=looks(1))
    half_covered = unit_rows(looks(1) + looks(9))
    assert ids(clip.see(at((100, 100), score=0.99), looks=half_covered)) == ["door:3:1"]


def test_a_match_without_rivals_is_not_in_doubt() -> None:
    """Two faces that stay apart and look like themselves raise no doubt once their velocity is known."""
    for after in (0.2, 1.0):
        clip = Clip()
        steps = [
            clip.see(at((100, 100), (400, 100), score=0.99), after=after, looks=looks(1, 2)) for _ in range(8)
        ]
        assert not any(face.is_doubtful for step in steps[2:] for face in step.faces)


def test_who_returns_is_in_doubt_once() -> None:
    """A face that was not seen for a while goes on as the same track, but in doubt, in that frame only."""
    clip = Clip()
    for _ in range(4):
        clip.see(at((100, 100), score=0.99), looks=looks(1))
    clip.see(Detections.none())
    doubts = [clip.see(at((100, 100), score=0.99), looks=looks(1)).faces[0].is_doubtful for _ in range(2)]
    assert doubts == [True, False]


def test_two_tracks_that_could_both_be_a_face_leave_it_in_doubt() -> None:
    """Where two people stand in one place and one face is left, whoever goes on there is in doubt."""
    clip = Clip()
    for _ in range(4):
        clip.see(at((100, 100), (130, 100), score=0.99))
    (face,) = clip.see(at((115, 100), score=0.99)).faces
    assert face.is_doubtful


def test_where_faces_are_expected_is_known_while_all_are_seen() -> None:
    """The next places follow from the motion; with a face gone, unsure or none at all they say too little."""
    clip = Clip()
    assert clip.tracker.expected(START_NS) is None
    for i in range(8):
        clip.see(at((100 + 20 * i, 100), score=0.99))
    soon_ns = START_NS + int((clip.seconds + 0.2) * 1e9)
    expected = clip.tracker.expected(soon_ns)
    assert expected is not None
    assert expected[0] == pytest.approx([230, 70, 290, 130], abs=4)
    clip.see(Detections.none())
    assert clip.tracker.expected(soon_ns + 1) is None
    unsure = Clip()
    unsure.see(at((100, 100), score=0.85))
    assert unsure.tracker.expected(START_NS + int(1e9)) is None


frames_of_faces = st.lists(
    st.lists(
        st.tuples(
            st.floats(0, 600), st.floats(0, 400), st.floats(20, 200), st.floats(0.8, 1.0), st.integers(0, 3)
        ),
        max_size=6,
    ),
    max_size=15,
)


@given(frames_of_faces, st.floats(0.03, 3), st.booleans())
def test_whatever_comes_tracks_are_consistent(
    frames: list[list[tuple[float, float, float, float, int]]], after: float, has_looks: bool
) -> None:
    """A track starts before it is seen, ends once, never returns, has one face a frame; few are followed."""
    clip = Clip(TrackerSettings(max_tracks=4))
    alive: set[str] = set()
    over: set[str] = set()
    for frame in frames:
        boxes = [[x, y, x + side, y + side] for x, y, side, _, _ in frame]
        seen = looks(*(person for *_, person in frame)) if has_looks else None
        step = clip.see(detections(boxes, [face[3] for face in frame]), after=after, looks=seen)
        gone = {track.track_id for track in step.ended}
        assert gone <= alive
        assert not set(step.started) & (alive | over)
        alive = (alive - gone) | set(step.started)
        over |= gone
        assert not over & alive
        assert set(ids(step)) <= alive
        assert len(set(ids(step))) == len(step.faces)
        assert len({face.detection_index for face in step.faces}) == len(step.faces)
        assert len(step.faces) + step.refused <= len(frame)
        assert clip.tracker.confirmed_count <= len(alive) <= 4
