"""Hops are differences of ages, over the time that was looked at."""

import pytest

from mien.bench.hops import Total, hops_between

AGE, STAGE = "mien_frame_age_seconds", "mien_stage_duration_seconds"


def test_hops_add_up_to_the_age_at_the_detector() -> None:
    """Ingest, Kafka and detector share the time since capture among them."""
    before = {(AGE, "ingest"): Total(100.0, 50.0)}
    after = {
        (AGE, "ingest"): Total(100.1, 60.0),
        (AGE, "detector"): Total(0.5, 10.0),
        (STAGE, "detector"): Total(0.2, 10.0),
    }
    hops = hops_between(before, after)
    assert hops["camera_to_kafka"] == pytest.approx(10.0)
    assert hops["kafka_and_waiting_for_the_detector"] == pytest.approx(20.0)
    assert hops["detector"] == pytest.approx(20.0)


def test_hop_that_nothing_passed_is_zero() -> None:
    """A stack without faces makes no calls."""
    assert hops_between({}, {})["model_server_call_face_embedder"] == 0.0
