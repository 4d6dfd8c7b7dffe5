"""Faces land on the template whatever their place, size and turn."""

import numpy as np
import pytest

from mien.vision.alignment import ALIGNMENTS, align_face, estimate_similarity

FACE = np.array([[70, 90], [130, 90], [100, 120], [75, 150], [125, 150]], dtype=np.float32)


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(0, 1, (0, 0)), (30, 2, (5, -9)), (-120, 0.3, (400, 7))]
)
def test_similarity_recovers_a_known_motion(degrees: float, scale: float, shift: tuple[float, float]) -> None:
    """Rotation, scale and shift that made the points are found again."""
    angle = np.deg2rad(degrees)
    expected = np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), shift[0]],
            [scale * np.sin(angle), scale * np.cos(angle), shift[1]],
        ]
    )
    moved = (FACE @ expected[:, :2].T + expected[:, 2]).astype(np.float32)
    assert estimate_similarity(FACE, moved) == pytest.approx(expected, abs=1e-3)


def test_similarity_of_one_point_repeated_is_finite() -> None:
    """A detector that puts all landmarks on one spot breaks nothing."""
    assert np.isfinite(estimate_similarity(np.zeros((5, 2), np.float32), FACE)).all()


@pytest.mark.parametrize("alignment", sorted(ALIGNMENTS))
@pytest.mark.parametrize("size", [112, 150])
def test_aligned_face_is_square_whatever_the_box(alignment: str, size: int) -> None:
    """A face half outside the picture is padded with black."""
    image = np.full((200, 220, 3), 255, dtype=np.uint8)
    box = np.array([-40, 60, 60, 170], dtype=np.float32)
    aligned = align_face(alignment, image, box, FACE - np.array([90, 0], np.float32), size)
    assert aligned.shape == (size, size, 3)
    assert aligned.dtype == np.uint8
    assert aligned.min() == 0


def test_same_face_turned_upside_down_aligns_to_the_same_picture() -> None:
    """The landmarks, not the picture's edges, decide what is up."""
    rng = np.random.default_rng(1)
    image = np.repeat(np.repeat(rng.integers(0, 255, (25, 25, 3), dtype=np.uint8), 8, 0), 8, 1)
    turned = np.ascontiguousarray(image[::-1, ::-1])
    box = np.array([50, 70, 150, 170], dtype=np.float32)
    upright = align_face("dlib5", image, box, FACE, 100).astype(int)
    upside_down = align_face("dlib5", turned, 199 - box[[2, 3, 0, 1]], 199 - FACE, 100).astype(int)
    assert np.abs(upright - upside_down).mean() < 2


@pytest.mark.parametrize("size", [112, 224])
def test_landmarks_land_on_arcfaces_template(size: int) -> None:
    """The middles between eyes and between mouth corners lie where networks of that family expect them."""
    image = np.zeros((200, 200, 3), np.uint8)
    for (x, y), colour in zip(
        FACE.astype(int), [(255, 0, 0)] * 2 + [(0, 0, 0)] + [(0, 255, 0)] * 2, strict=True
    ):
        image[y - 2 : y + 3, x - 2 : x + 3] = colour
    aligned = align_face("arcface5", image, np.array([50, 70, 150, 170], np.float32), FACE, size)
    for channel, expected_xy in ((0, (55.9, 51.6)), (1, (56.1, 92.3))):
        rows, columns = np.nonzero(aligned[..., channel] > 100)
        found = np.array([columns.mean(), rows.mean()]) * 112 / size
        assert found == pytest.approx(expected_xy, abs=4)
