"""Two ways to spend calls are compared face by face, on the same pictures."""

from collections.abc import Sequence

import pytest

from mien.bench.same_names import Agreement, NamedFrame, compare_names, final_answers, name_frames, sum_up
from mien.contracts.events import BoxXyxy, IdentityAnswer, IdentityDecided, TracksObserved

LEFT: BoxXyxy = (100, 100, 200, 200)
RIGHT: BoxXyxy = (400, 100, 500, 200)


def frame(at_seconds: float, *faces: tuple[BoxXyxy, str]) -> NamedFrame:
    """Return a frame with these faces."""
    return NamedFrame(at_seconds, [box for box, _ in faces], [answer for _, answer in faces])


def decided(
    track_id: str, shot_number: int, answer: IdentityAnswer, person_id: str | None = None
) -> IdentityDecided:
    """Return a decision."""
    return IdentityDecided(
        camera_id="cam",
        event_id=f"{track_id}-{shot_number}",
        captured_at_ns=1,
        track_id=track_id,
        shot_number=shot_number,
        state="provisional",
        answer=answer,
        person_id=person_id,
        model="m",
        model_version=1,
        gallery_generation=1,
    )


def observed(at_seconds: float, track_ids: Sequence[str]) -> TracksObserved:
    """Return a frame's tracks, taken so long after 100 s."""
    return TracksObserved(
        camera_id="cam",
        event_id=str(at_seconds),
        captured_at_ns=int((100 + at_seconds) * 1e9),
        frame_id="cam:1:1",
        size_wh=(640, 360),
        boxes_xyxy=[LEFT] * len(track_ids),
        track_ids=list(track_ids),
        scores=[1.0] * len(track_ids),
    )


def test_a_track_is_called_what_its_last_shot_said_in_whatever_order_decisions_came() -> None:
    """An early "unknown" that arrives late changes nothing."""
    answers = final_answers(
        [decided("a", 2, "known", "p1"), decided("a", 1, "unknown"), decided("b", 1, "unclear")],
        {"p1": "Ada"},
    )
    assert answers == {"a": "Ada", "b": "unclear"}


def test_frames_are_those_of_the_first_seconds_and_in_order() -> None:
    """A track nobody was asked about is unclear; what came after the time is left out."""
    frames = name_frames(
        [observed(2.0, []), observed(0.4, ["a", "b"]), observed(0.0, ["a"])],
        {"a": "Ada"},
        start_ns=int(100e9),
        seconds=1.0,
    )
    assert [(one.at_seconds, one.answers) for one in frames] == [(0.0, ["Ada"]), (0.4, ["Ada", "unclear"])]


def test_faces_are_compared_by_place_and_not_by_order() -> None:
    """Boxes listed the other way round are the same faces."""
    agreement = compare_names(
        [frame(0.0, (LEFT, "Ada"), (RIGHT, "Bob"))], [frame(0.02, (RIGHT, "Bob"), (LEFT, "Ada"))]
    )
    assert (agreement.compared, agreement.same_name, agreement.missed) == (2, 2, 0)
    assert not agreement.differences


@pytest.mark.parametrize(
    ("thorough", "thrifty", "same_name", "same_answer"),
    [
        ("Ada", "Bob", 0, 0),
        ("Ada", "unknown", 0, 0),
        ("unclear", "Ada", 0, 0),
        ("unknown", "unclear", 1, 0),
        ("unknown", "unknown", 1, 1),
    ],
)
def test_differences_are_told_apart(thorough: str, thrifty: str, same_name: int, same_answer: int) -> None:
    """No name is no name; but "unknown" and "unclear" are counted as the different answers they are."""
    agreement = compare_names([frame(0.0, (LEFT, thorough))], [frame(0.0, (LEFT, thrifty))])
    assert (agreement.same_name, agreement.same_answer) == (same_name, same_answer)
    assert agreement.named == ("Ada" in {thorough, thrifty})
    assert agreement.differences == ({} if same_answer else {(thorough, thrifty): 1})


def test_while_nothing_moves_the_last_frame_holds_for_a_second() -> None:
    """The gate left pictures out because they show the same; after its heartbeat nothing excuses a gap."""
    agreement = compare_names(
        [frame(0.2 * step, (LEFT, "Ada")) for step in range(10)], [frame(0.0, (LEFT, "Ada"))]
    )
    assert (agreement.compared, agreement.missed) == (6, 4)


def test_a_face_that_one_way_never_saw_is_missed_and_not_the_same() -> None:
    """Neither a box elsewhere nor a second face at the same place can stand for it."""
    agreement = compare_names(
        [frame(0.0, (LEFT, "Ada"), (LEFT, "Bob"), (RIGHT, "Cyd"))], [frame(0.0, (LEFT, "Ada"))]
    )
    assert (agreement.compared, agreement.missed) == (1, 2)
    assert compare_names([frame(0.0, (LEFT, "Ada"))], []) == Agreement(missed=1)


def test_cameras_add_up() -> None:
    """Counts and differences of all cameras are summed."""
    part = compare_names([frame(0.0, (LEFT, "Ada"))], [frame(0.0, (LEFT, "Bob"))])
    whole = sum_up([part, part, Agreement(compared=3, same_name=3, same_answer=2, named=1, missed=1)])
    assert whole == Agreement(5, 3, 2, 3, 1, part.differences + part.differences)
