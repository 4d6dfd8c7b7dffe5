"""What `mien bench ingest` makes of its readings."""

from typing import Any

import numpy as np
import pytest

from mien.bench.ingest_cost import FFMPEG, KINDS, OPENCV, OURS, OURS_FASTER, summarise_cost
from mien.bench.ingest_drift import count_found_again, drift_of

H264 = KINDS[0].name


def reading(reader: str, cpu_ms: float) -> dict[str, Any]:
    """Return a reading of five pictures a second."""
    return {
        "kind": H264,
        "reader": reader,
        "cpu_ms_per_picture": cpu_ms,
        "cpu_percent_per_camera": cpu_ms * 5 / 10,
        "pictures_per_second": 5.0,
        "kb_per_picture": 29.0,
    }


def test_ratios_are_taken_within_a_round() -> None:
    """A round in which the machine is slow for all is no round in which somebody is."""
    rounds = [(8.0, 6.0, 8.0, 9.0), (16.0, 12.0, 16.0, 18.0), (8.0, 8.0, 10.0, 12.0)]
    readers = (OURS, OURS_FASTER, OPENCV, FFMPEG)
    rows = [reading(*one) for costs in rounds for one in zip(readers, costs, strict=True)]
    summary = summarise_cost(rows)
    assert (summary["cpu_ratio_to_opencv"], summary["cpu_ratio_to_ffmpeg"]) == (1.0, 1.12)
    assert summary["cpu_ratio_to_ffmpeg_without_loop_filter"] == 1.5
    assert summary["cameras_per_core_h264_720p15"] == 25.0
    table = {row["reader"]: row for row in summary["readers"]}
    assert table[FFMPEG]["cpu_ratio_spread"] == "1.12 to 1.50"


def test_drift_is_of_brightness_and_none_for_the_same_picture() -> None:
    """Two grey levels everywhere are 42 dB."""
    picture = np.full((4, 6, 3), 100, np.uint8)
    assert drift_of(picture, picture).grey_levels == 0
    drift = drift_of(picture, picture + np.uint8(2))
    assert drift.grey_levels == pytest.approx(2)
    assert drift.psnr_db == pytest.approx(42.1, abs=0.1)


def test_face_is_found_again_where_it_was() -> None:
    """A box of its own elsewhere is another face."""
    face, near, far = [10, 10, 50, 50], [12, 10, 52, 50], [100, 100, 140, 140]
    exact = np.array([face, far], np.float32)
    assert count_found_again(exact, np.array([near], np.float32)) == 1
    assert count_found_again(exact, np.empty((0, 4), np.float32)) == 0
