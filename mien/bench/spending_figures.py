"""What two ways of spending calls on the same videos come to. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mien.bench.overheard import Overheard
from mien.bench.same_names import (
    Agreement,
    NamedFrame,
    compare_names,
    final_answers,
    name_frames,
    sum_up,
)
from mien.bench.scrape import Samples, total, total_by
from mien.contracts.events import ShotPurpose
from mien.contracts.models import FACE_EMBEDDER


@dataclass(frozen=True)
class Played:
    """What came of all cameras with one set of settings.

    Attributes:
        seconds: How long each camera counts, from its first frame.
        names: Name by id of everybody who was enrolled.
        heard: What the services said while cameras played.
        samples: The services' counters at the end.
        cpu_seconds: CPU time by process, while cameras played.
        photographs: How many were embedded to enrol people.
    """

    seconds: float
    names: Mapping[str, str]
    heard: Overheard
    samples: Samples
    cpu_seconds: Mapping[str, float]
    photographs: int = 0

    def frames(self, camera_id: str) -> list[NamedFrame]:
        """Return a camera's frames with what each face was called in the end."""
        return name_frames(
            self.heard.observed.get(camera_id, []),
            final_answers(self.heard.decided, self.names),
            start_ns=self.heard.started_at_ns[camera_id],
            seconds=self.seconds,
        )

    def calls(self, camera_id: str, purpose: ShotPurpose) -> int:
        """Return how many faces of a camera were sent to be embedded, or read."""
        until_ns = self._until_ns(camera_id)
        return sum(
            (shot.camera_id, shot.purpose) == (camera_id, purpose) and shot.captured_at_ns < until_ns
            for shot in self.heard.shots
        )

    def tracks(self, camera_id: str) -> int:
        """Return how many tracks a camera had."""
        until_ns = self._until_ns(camera_id)
        observed = self.heard.observed.get(camera_id, [])
        return len({track for one in observed if one.captured_at_ns < until_ns for track in one.track_ids})

    def _until_ns(self, camera_id: str) -> int:
        return self.heard.started_at_ns[camera_id] + round(self.seconds * 1e9)


def spent(played: Played, *, seconds_played: float) -> dict[str, Any]:
    """Return what one way spent, gate by gate, by the services' own counters.

    They count a little more than the cameras' time that counts: the second in which a camera is taken away.
    """
    samples = played.samples

    def count(name: str, **labels: str) -> int:
        return round(total(samples, name, **labels))

    def count_by_reason(name: str, stage: str) -> dict[str, int]:
        return {
            reason: round(value) for reason, value in total_by(samples, name, "reason", stage=stage).items()
        }

    not_sent = count("mien_skipped_total", stage="ingest", reason="still")
    skipped = count_by_reason("mien_skipped_total", "detector")
    return {
        "frames_sampled": count("mien_frames_total", stage="ingest") + not_sent,
        "frames_not_sent_as_nothing_moved": not_sent,
        "frames_not_searched_as_nothing_moved": skipped.pop("still", 0),
        "frames_searched": count("mien_frames_total", stage="detector"),
        "frames_dropped": count_by_reason("mien_dropped_total", "detector"),
        "faces_found": count("mien_faces_total"),
        "faces_not_sent": skipped,
        "identity_calls": count("mien_shots_total", purpose="identity"),
        "identity_calls_without_answer": played.heard.undecided,
        "emotion_calls": count("mien_shots_total", purpose="emotion"),
        "embedded_by_the_model_server": count("mien_model_batch_size_sum", model=FACE_EMBEDDER.name),
        "of_these_photographs": played.photographs,
        "cpu_percent_of_a_core": {
            name: round(100 * used / seconds_played, 1) for name, used in sorted(played.cpu_seconds.items())
        },
    }


def summarise(thrifty: Played, thorough: Played, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare two ways; *runs* are what each spent, in the same order.

    Raises:
        RuntimeError: Nothing could be compared.
    """
    cameras = sorted(thrifty.heard.started_at_ns)
    agreements = {
        camera_id: compare_names(thorough.frames(camera_id), thrifty.frames(camera_id))
        for camera_id in cameras
    }
    whole = sum_up(agreements.values())
    rows = [_row(camera_id, thrifty, thorough, agreements[camera_id]) for camera_id in cameras]
    calls, every = (sum(row[key] for row in rows) for key in ("calls", "calls_every_frame"))
    if not whole.compared or not calls:
        raise RuntimeError("expected faces to compare, there were none: see the logs of the stacks")
    emotion = [
        sum(played.calls(camera_id, "emotion") for camera_id in cameras) for played in (thrifty, thorough)
    ]
    cpu = [sum(played.cpu_seconds.values()) for played in (thrifty, thorough)]
    return {
        "identity_calls_per_frame_ratio": round(every / calls, 1),
        "identity_calls": calls,
        "identity_calls_every_frame": every,
        "same_final_names": round(whole.same_name / whole.compared, 4),
        "faces_compared": whole.compared,
        "faces_with_a_name": whole.named,
        "same_final_answers_unknown_or_unclear_too": round(whole.same_answer / whole.compared, 4),
        "faces_without_counterpart": whole.missed,
        "frames_dropped_share_every_frame": dropped_share(runs[1]),
        "emotion_calls_per_frame_ratio": _ratio(emotion[1], emotion[0]),
        "cpu_ratio": _ratio(cpu[1], cpu[0]),
        "gates": [
            {"what": key.replace("_", " "), "as_it_is": runs[0][key], "every_frame": runs[1][key]}
            for key in runs[0]
            if key != "way"
        ],
        "videos": rows,
        "differences": [
            {"video": camera_id, "every_frame_says": said, "mien_says": other, "faces": faces}
            for camera_id, agreement in agreements.items()
            for (said, other), faces in agreement.differences.most_common()
        ],
    }


def dropped_share(run: Mapping[str, Any]) -> float:
    """Return the share of sampled frames that the machine was too slow for, of what one way spent."""
    return _share(sum(run["frames_dropped"].values()), run["frames_sampled"])


def _row(camera_id: str, thrifty: Played, thorough: Played, agreement: Agreement) -> dict[str, Any]:
    calls, every = (played.calls(camera_id, "identity") for played in (thrifty, thorough))
    answers = {answer for frame in thrifty.frames(camera_id) for answer in frame.answers}
    return {
        "video": camera_id,
        "tracks": thrifty.tracks(camera_id),
        "calls": calls,
        "calls_every_frame": every,
        "ratio": _ratio(every, calls),
        "same_names": _share(agreement.same_name, agreement.compared),
        "final_answers": ", ".join(sorted(answers)),
    }


def _ratio(more: float, less: float) -> float | None:
    return round(more / less, 1) if less else None


def _share(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else 0.0
