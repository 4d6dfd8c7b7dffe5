"""Where the time goes between a camera and the screen, from the metrics that the services keep anyway."""

from collections.abc import Mapping
from dataclasses import dataclass

from mien.bench.scrape import scrape
from mien.local.home import Home


@dataclass(frozen=True)
class Total:
    """Sum and count of a histogram so far."""

    seconds: float = 0.0
    count: float = 0.0

    def mean_ms_since(self, before: "Total") -> float | None:
        """Return the mean of what came after *before*, or None when nothing did."""
        count = self.count - before.count
        return 1000 * (self.seconds - before.seconds) / count if count else None


def scrape_histograms(home: Home) -> dict[tuple[str, str], Total]:
    """Return the histograms of all running services by name and stage or model, summed over replicas."""
    totals: dict[tuple[str, str], Total] = {}
    for (sample, labels), value in scrape(home).items():
        name, _, part = sample.rpartition("_")
        label = dict(labels)
        key = (name, label.get("stage") or label.get("model") or "")
        old = totals.get(key, Total())
        if part == "sum":
            totals[key] = Total(old.seconds + value, old.count)
        elif part == "count":
            totals[key] = Total(old.seconds, old.count + value)
    return totals


def hops_between(
    before: Mapping[tuple[str, str], Total], after: Mapping[tuple[str, str], Total]
) -> dict[str, float]:
    """Return the mean milliseconds that a frame, or a face, spent in each hop between two scrapes.

    A stage's age is the time since capture when it is done; a hop is the difference of two ages. The way
    from the detector to the screen is in the samples themselves.
    """

    def mean_ms(name: str, label: str) -> float:
        key = (name, label)
        return after.get(key, Total()).mean_ms_since(before.get(key, Total())) or 0.0

    ages = {stage: mean_ms("mien_frame_age_seconds", stage) for stage in ("ingest", "detector")}
    detection = mean_ms("mien_stage_duration_seconds", "detector")
    hops = {
        "camera_to_kafka": ages["ingest"],
        "kafka_and_waiting_for_the_detector": ages["detector"] - ages["ingest"] - detection,
        "detector": detection,
        "model_server_call_face_embedder": mean_ms("mien_serving_call_seconds", "face_embedder"),
        "model_server_call_emotion_classifier": mean_ms("mien_serving_call_seconds", "emotion_classifier"),
    }
    return {name: round(value, 1) for name, value in hops.items()}
