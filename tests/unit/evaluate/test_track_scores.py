"""A tracker is scored by whom its tracks are on."""

from collections.abc import Sequence

import numpy as np

from mien.contracts.follow_clip import FrameFollowed, ShotSent
from mien.evaluate.greedy_iou import GreedyIou
from mien.evaluate.scenes import Truth
from mien.evaluate.shot_scores import ShotScore, total_shots
from mien.evaluate.track_scores import ClipScore, Taking, total

LEFT, RIGHT = [0, 0, 50, 50], [200, 0, 250, 50]


def truth(*people: int, boxes: Sequence[list[int]] = (LEFT, RIGHT), visible: float = 1.0) -> Truth:
    return Truth(
        list(people), np.array(boxes[: len(people)], np.float32).reshape(-1, 4), [visible] * len(people)
    )


def boxes(*of: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(of, np.float32).reshape(-1, 4)


def test_faces_that_are_followed_all_along_are_perfect() -> None:
    score = ClipScore()
    for i in range(10):
        score.add(truth(0, 1), boxes(LEFT, RIGHT), [1, 2], i / 5)
    figures = total([score])
    assert (figures["mota"], figures["idf1"], figures["id_switches"], figures["merged_tracks"]) == (
        1,
        1,
        0,
        0,
    )
    assert figures["seconds_to_first_sight_p95"] == 0


def test_exchanged_tracks_are_switches_and_cover_two_people_each() -> None:
    score = ClipScore()
    for i in range(10):
        score.add(truth(0, 1), boxes(LEFT, RIGHT), [1, 2] if i < 5 else [2, 1], i / 5)
    figures = total([score])
    assert (figures["id_switches"], figures["merged_tracks"]) == (2, 2)
    assert sorted(score.takings, key=lambda taking: taking.track) == [Taking(1, 1.0), Taking(2, 1.0)]


def test_a_new_track_after_a_gap_is_a_switch_but_mixes_nobody_up() -> None:
    score = ClipScore()
    for i in range(10):
        score.add(truth(0), boxes(LEFT), [1 if i < 5 else 2], i / 5)
    figures = total([score])
    assert (figures["id_switches"], figures["merged_tracks"], score.takings) == (1, 0, [])


def test_a_barely_visible_face_neither_counts_nor_is_wrong() -> None:
    """Found or not, a face that is mostly covered changes no score; a box where nobody is does."""
    score = ClipScore()
    score.add(truth(0, visible=0.4), boxes(LEFT), [1], 0)
    score.add(truth(0, visible=0.4), boxes(), [], 0.2)
    score.add(truth(0), boxes(LEFT, RIGHT), [1, 2], 0.4)
    figures = total([score])
    assert (figures["faces"], figures["missed"], figures["false_faces"]) == (1, 0, 1)


def test_the_wait_for_a_first_track_is_measured() -> None:
    score = ClipScore()
    for i, track in enumerate([None, None, 1, 1]):
        score.add(truth(0), boxes(LEFT), [track], i / 5)
    assert total([score])["seconds_to_first_sight_p95"] == 0.4


def test_greedy_matching_follows_overlap_and_forgets_after_the_gap() -> None:
    greedy = GreedyIou(gap_seconds=1.5)
    assert list(greedy.update(boxes(LEFT, RIGHT), 0)) == [1, 2]
    assert list(greedy.update(boxes([205, 0, 255, 50], [5, 0, 55, 50]), 0.2)) == [2, 1]
    assert list(greedy.update(boxes([60, 0, 110, 50]), 0.4)) == [3]
    assert list(greedy.update(boxes(LEFT), 3.0)) == [4]


def followed(seconds: float, quality: float, *, sent: bool) -> FrameFollowed:
    return FrameFollowed(
        clip="a",
        captured_at_ns=round(seconds * 1e9),
        boxes_xyxy=[(0, 0, 50, 50)],
        scores=[0.99],
        track_ids=["a:1:7"],
        track_ids_by_boxes=["a:1:7"],
        qualities=[quality],
        shots=[ShotSent(track_id="a:1:7", purpose="identity", quality=quality)] if sent else [],
        skipped={} if sent else {"no_better_view": 1},
        looked_near=False,
        cpu_seconds=0.01,
    )


def test_shots_are_compared_with_the_best_view_there_was() -> None:
    score = ShotScore()
    for seconds, quality, sent in ((0.0, 0.4, True), (0.5, 0.8, False), (1.0, 0.6, True)):
        score.add(followed(seconds, quality, sent=sent), seconds)
    figures = total_shots([score])
    assert figures["best_sent_of_best_possible_p50"] == 0.75
    assert (figures["seconds_to_first_shot_p50"], figures["identity_shots_per_track"]) == (0, 2)
    assert score.skipped == {"no_better_view": 1}


def test_a_change_of_person_is_verified_by_a_shot_within_a_second() -> None:
    score = ShotScore()
    for seconds, sent in ((0.0, True), (2.0, False), (2.8, True), (5.0, False)):
        score.add(followed(seconds, 0.5, sent=sent), seconds)
    assert score.unverified([Taking(7, 2.0)]) == 0
    assert score.unverified([Taking(7, 4.0), Taking(8, 2.0)]) == 2


def test_a_clip_without_any_shot_has_no_figures() -> None:
    assert total_shots([ShotScore()])["best_sent_of_best_possible_p50"] is None
