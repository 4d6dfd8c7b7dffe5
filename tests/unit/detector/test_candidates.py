"""R-Net is asked about as many candidates as it takes, and no more."""

import numpy as np

from mien.vision.boxes import Boxes
from services.detector.candidates import CandidateQueue


def row_of_boxes(count: int) -> Boxes:
    """Return boxes side by side."""
    left = np.arange(count, dtype=np.float32) * 20
    return np.stack([left, left * 0, left + 10, left * 0 + 10], axis=1)


def looked_at(queue: CandidateQueue, *, faces: set[int], score: float = 0.99) -> list[int]:
    """Answer the queue's rounds: those of *faces*, by their place in the row, are faces. Return all asked."""
    asked: list[int] = []
    while len(boxes := queue.next_round()):
        places = (boxes[:, 0] / 20).astype(int).tolist()
        hits = boxes[[place in faces for place in places]]
        queue.accept(hits, np.full(len(hits), score, np.float32))
        asked += places
    return asked


def test_few_candidates_are_all_looked_at() -> None:
    assert looked_at(CandidateQueue(row_of_boxes(16)), faces=set()) == list(range(16))


def test_many_in_vain_are_enough() -> None:
    """Of 500 candidates without a face, a part is looked at, best first."""
    asked = looked_at(CandidateQueue(row_of_boxes(500)), faces=set())
    assert asked == list(range(80))


def test_with_patience_for_all_each_is_looked_at() -> None:
    """Boxes that somebody asks about, in no order, are all looked at."""
    queue = CandidateQueue(row_of_boxes(100), patience=1)
    assert looked_at(queue, faces=set()) == list(range(100))


def test_a_new_face_renews_the_patience() -> None:
    """As long as faces keep turning up, the queue goes on: a crowd is looked through to its end."""
    queue = CandidateQueue(row_of_boxes(500))
    assert len(looked_at(queue, faces=set(range(0, 500, 40)))) == 500
    boxes, scores = queue.accepted()
    assert (len(boxes), len(scores)) == (13, 13)


def test_a_weak_face_counts_but_renews_nothing() -> None:
    """What R-Net is not sure of goes on to O-Net without prolonging the search."""
    queue = CandidateQueue(row_of_boxes(500))
    assert len(looked_at(queue, faces={0, 70}, score=0.75)) == 80
    assert len(queue.accepted()[0]) == 2


def test_the_same_face_again_is_nothing_new() -> None:
    same = np.repeat(row_of_boxes(1), 500, axis=0)
    queue = CandidateQueue(same)
    asked = 0
    while len(boxes := queue.next_round()):
        queue.accept(boxes, np.full(len(boxes), 0.99, np.float32))
        asked += len(boxes)
    assert asked < 500


def test_no_candidates_no_faces() -> None:
    queue = CandidateQueue(np.zeros((0, 4), np.float32))
    assert len(queue.next_round()) == 0
    assert [len(part) for part in queue.accepted()] == [0, 0]
