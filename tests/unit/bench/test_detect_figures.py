"""Ratios are of the same picture in the same round, and of what a camera sees."""

from collections import defaultdict

from mien.bench.detect_figures import Times, agreements, limits_in_words, ratios
from mien.contracts.detector_limits import DetectorLimits


def times(ours: list[float], theirs: list[float], *, faces: int) -> Times:
    """Return what one picture cost in each round; all peers cost the same."""
    cpu_ms = defaultdict(list, mien=ours, mtcnn=theirs, facenet_pytorch=theirs, opencv_haar=theirs)
    return Times(cpu_ms, {"mtcnn": faces, "mien": faces})


def test_a_ratio_compares_the_same_round() -> None:
    """A round in which everything was twice as slow changes no ratio."""
    summary = ratios({"/x/720p-4-faces.png": times([10, 20, 10], [150, 300, 150], faces=4)})
    assert summary["cpu_ratio_to_mtcnn_720p"] == 15.0
    assert summary["cpu_ratio_quartiles"]["mtcnn"] == "15.0 to 15.0"


def test_only_720p_with_a_few_faces_counts() -> None:
    summary = ratios(
        {
            "/x/720p-1-faces.png": times([10], [200], faces=1),
            "/x/group-a.png": times([10], [160], faces=7),
            "/x/group-b.png": times([10], [10], faces=8),
            "/x/720p-0-faces.png": times([10], [10], faces=0),
            "/x/1080p-4-faces.png": times([10], [10], faces=4),
        }
    )
    assert (summary["cpu_ratio_to_mtcnn_720p"], summary["pictures_720p_1_to_7_faces"]) == (18.0, 2)


def test_without_real_faces_agreement_is_unknown_not_perfect() -> None:
    nothing: dict[str, dict[object, object]] = {"mien": {}, "mtcnn": {}}
    summary = agreements(nothing, nothing, {})  # type: ignore[arg-type]
    assert summary["share_of_mtcnn_faces_found"] is None
    assert summary["recall_verified_groups"] is None


def test_limits_are_shares_of_the_frame_and_of_the_peak() -> None:
    limits = DetectorLimits(
        stage_ms={"P-Net": 6.0, "rest": 2.0},
        network_gflop={"P-Net": 0.6},
        network_gflop_per_second={"P-Net": 100.0},
        peak_gflop_per_second=400.0,
        network_ms_by_frames_at_once={1: 6.0},
        precision="f32",
    )
    summary = limits_in_words(limits)
    assert (summary["share_of_time_in_networks"], summary["networks_share_of_engine_peak"]) == (0.75, 0.25)
    assert [row["stage"] for row in summary["stages"]] == ["P-Net", "rest"]
    assert summary["stages"][1]["GFLOP"] is None
