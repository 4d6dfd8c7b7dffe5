"""What is counted when the same videos are played both ways."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mien.bench.overheard import Overheard, note
from mien.bench.scrape import Samples
from mien.bench.spending import SpendingBench, camera_id_of
from mien.bench.spending_figures import Played, spent, summarise
from mien.contracts.cameras import CAMERA_ID_PATTERN
from mien.contracts.events import Event, encode_event
from mien.contracts.frames import Frame
from mien.contracts.topics import EMOTION_FACES, FRAMES, IDENTITIES, IDENTITY_FACES, TRACKS, Topic
from tests.samples import SAMPLES, face_shot

SECONDS, START_NS = 10.0, 1_000_000_000_000
JPEG = b"\xff\xd8\xff\xd9"


def record(topic: Topic, event: Event) -> Any:
    """Return an event as it is read from Kafka."""
    return SimpleNamespace(topic=topic.name, value=encode_event(event), headers=[])


def at(seconds: float) -> int:
    """Return the time so long after the camera's first frame."""
    return START_NS + int(seconds * 1e9)


def listen(*, shots: int, shots_late: int = 0, decided: int | None = None) -> Overheard:
    """Return what was heard of one camera whose one face was asked about so many times."""
    heard = Overheard()
    frame = Frame("door:1:1", JPEG, captured_at_ns=START_NS, size_wh=(2, 2))
    note(SimpleNamespace(topic=FRAMES.name, value=JPEG, headers=frame.headers()), heard)
    for number in range(1, shots + shots_late + 1):
        taken_at = at(number / 10 if number <= shots else SECONDS + number)
        note(record(IDENTITY_FACES, face_shot(shot_number=number, captured_at_ns=taken_at)), heard)
    note(record(IDENTITY_FACES, face_shot(purpose="enrolment")), heard)
    note(record(EMOTION_FACES, face_shot(purpose="emotion", captured_at_ns=at(1))), heard)
    for number in range(1, (shots + shots_late if decided is None else decided) + 1):
        note(record(IDENTITIES, changed("IdentityDecided", shot_number=number)), heard)
    for step in range(4):
        note(record(TRACKS, changed("TracksObserved", captured_at_ns=at(step / 5))), heard)
    return heard


def changed(name: str, **changes: Any) -> Event:
    """Return a sample event of the sample track with some fields changed."""
    fields = {key: getattr(SAMPLES[name], key) for key in SAMPLES[name].__struct_fields__}
    return type(SAMPLES[name])(**(fields | changes))


def played(heard: Overheard, *, cpu: float = 1.0) -> Played:
    """Return one camera, played."""
    person_id = heard.decided[0].person_id if heard.decided else None
    names = {person_id: "Ada"} if person_id else {}
    return Played(SECONDS, names, heard, {}, {"detector": cpu})


def gates(calls: int) -> dict[str, Any]:
    """Return what the counters of a way say."""
    return {
        "way": "some",
        "frames_sampled": 50,
        "frames_dropped": {"superseded": 2, "stale": 1},
        "identity_calls": calls,
    }


def test_shots_count_while_the_camera_does_and_photographs_never() -> None:
    """A camera goes on until it is taken away: what it shows then is not compared with anything."""
    one = played(listen(shots=3, shots_late=2))
    assert one.calls("door", "identity") == 3
    assert one.calls("door", "emotion") == 1
    assert one.tracks("door") == 1


def test_what_was_asked_and_not_answered_is_waited_for() -> None:
    """Names are final when every shot has its answer."""
    assert listen(shots=3, decided=2).undecided == 1
    assert listen(shots=3).undecided == 0


def test_the_ratio_is_of_faces_sent_to_be_embedded() -> None:
    """Same name, a quarter of the calls."""
    summary = summarise(
        played(listen(shots=2), cpu=1.0), played(listen(shots=8), cpu=3.0), [gates(2), gates(8)]
    )
    assert summary["identity_calls_per_frame_ratio"] == 4.0
    assert (summary["identity_calls"], summary["identity_calls_every_frame"]) == (2, 8)
    assert (summary["same_final_names"], summary["faces_compared"]) == (1.0, 4)
    assert summary["faces_with_a_name"] == 4
    assert summary["cpu_ratio"] == 3.0
    assert summary["frames_dropped_share_every_frame"] == 0.06
    assert summary["gates"][-1] == {"what": "identity calls", "as_it_is": 2, "every_frame": 8}
    assert summary["differences"] == []
    (row,) = summary["videos"]
    assert (row["video"], row["ratio"], row["final_answers"]) == ("door", 4.0, "Ada")


def test_every_difference_is_listed() -> None:
    """A name that one way misses lowers the agreement and says where."""
    summary = summarise(played(listen(shots=2, decided=0)), played(listen(shots=8)), [gates(2), gates(8)])
    assert summary["same_final_names"] == 0.0
    assert summary["differences"] == [
        {"video": "door", "every_frame_says": "Ada", "mien_says": "unclear", "faces": 4}
    ]


def test_nothing_to_compare_is_no_result() -> None:
    """An error, not a perfect agreement over no faces."""
    silent = Overheard(started_at_ns={"door": START_NS})
    with pytest.raises(RuntimeError, match="there were none"):
        summarise(played(silent), played(silent), [gates(0), gates(0)])


def test_gates_are_told_apart() -> None:
    """Frames that were never sent, frames not searched, faces not sent: each with its own counter."""
    samples: Samples = {
        ("mien_frames_total", frozenset({("stage", "ingest"), ("camera_id", "a")})): 80.0,
        ("mien_frames_total", frozenset({("stage", "detector"), ("camera_id", "a")})): 70.0,
        ("mien_skipped_total", frozenset({("stage", "ingest"), ("reason", "still")})): 20.0,
        ("mien_skipped_total", frozenset({("stage", "detector"), ("reason", "still")})): 7.0,
        ("mien_skipped_total", frozenset({("stage", "detector"), ("reason", "no_better_view")})): 60.0,
        ("mien_dropped_total", frozenset({("stage", "detector"), ("reason", "superseded")})): 3.0,
        ("mien_shots_total", frozenset({("purpose", "identity")})): 6.0,
        ("mien_model_batch_size_sum", frozenset({("model", "face_embedder")})): 8.0,
    }
    gate = spent(
        Played(10.0, {}, Overheard(), samples, {"detector": 5.0}, photographs=2), seconds_played=10.0
    )
    assert gate["frames_sampled"] == 100
    assert gate["frames_not_sent_as_nothing_moved"] == 20
    assert gate["frames_not_searched_as_nothing_moved"] == 7
    assert gate["faces_not_sent"] == {"no_better_view": 60}
    assert gate["frames_dropped"] == {"superseded": 3}
    assert gate["embedded_by_the_model_server"] == gate["identity_calls"] + gate["of_these_photographs"]
    assert gate["cpu_percent_of_a_core"] == {"detector": 50.0}


def test_groups_hold_every_video_once_and_mix_large_with_small(tmp_path: Path) -> None:
    """No group is larger than asked, and none gets all the large ones."""
    videos = [tmp_path / f"clip_{size}.mp4" for size in range(1, 8)]
    for size, path in enumerate(videos, 1):
        path.write_bytes(bytes(size))
    bench = SpendingBench(folder=tmp_path, videos=videos, people={}, cameras_at_once=3)
    groups = [[path.stat().st_size for path in group] for group in bench.groups]
    assert sorted(size for group in groups for size in group) == [1, 2, 3, 4, 5, 6, 7]
    assert max(map(len, groups)) == 3
    assert bench.seconds_in_all == 2 * 3 * bench.seconds


@pytest.mark.parametrize("name", ["short_hamilton_clip", "D9", "front-desk"])
def test_clips_become_camera_ids(name: str) -> None:
    """Whatever a file is called."""
    assert re.fullmatch(CAMERA_ID_PATTERN, camera_id_of(name))
