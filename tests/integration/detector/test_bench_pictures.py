"""The pictures of ``mien bench detect`` show what they say, and the detector says where its time goes."""

from pathlib import Path

from mien.bench.group_pictures import write_pictures
from mien.contracts.detector_limits import DetectorLimits
from mien.local.face_finder import find_faces
from mien.local.line_process import detector_process


def test_composed_pictures_have_the_faces_they_claim(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path)
    answers = find_faces(pictures.values(), min_face_px=40)
    found = {key: len(answer.scores) for key, answer in zip(pictures, answers, strict=True)}
    assert found == {(size, faces): faces for size, faces in pictures}


def test_the_detector_accounts_for_its_time(tmp_path: Path) -> None:
    """Every stage took some of it, every network computed something, and none beat the engine's peak."""
    picture = write_pictures(tmp_path)["360p", 4]
    with detector_process("limits", DetectorLimits) as detector:
        limits = detector.ask([str(picture)])
    assert set(limits.stage_ms) == {
        "pyramid",
        "P-Net",
        "suppression",
        "crops",
        "R-Net",
        "O-Net",
        "rest",
    }
    assert all(spent > 0 for spent in limits.stage_ms.values())
    assert set(limits.network_gflop) == {"P-Net", "R-Net", "O-Net"}
    assert all(0 < gflop < 1 for gflop in limits.network_gflop.values())
    assert set(limits.network_ms_by_frames_at_once) == {1, 2, 4, 8}
