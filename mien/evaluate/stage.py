"""Pictures of a scene, and what is true in each."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.evaluate.people import CutOut
from mien.evaluate.scenes import SIZE_WH, Scene, Step, Truth

_BACK_OF_HEAD = 0.75
"""From this turn on no face is seen."""
_NOISE_SIGMA = 2.5
_POST_GREY = 118.0


class Stage:
    """Shows a scene with a cast, in front of a room that is the same for the same seed."""

    def __init__(self, scene: Scene, cast: Sequence[CutOut], *, seed: int) -> None:
        self._scene = scene
        self._cast = cast
        self._rng = np.random.default_rng(seed)
        self._room = _room(self._rng)
        self._noise = self._rng.normal(0, _NOISE_SIGMA, (4, *self._room.shape)).astype(np.float32)

    def show(self, seconds: float) -> tuple[NDArray[np.uint8], Truth]:
        """Return the picture of a moment, RGB, shape (H, W, 3), and who is where in it."""
        present = [
            (person, where)
            for person, steps in enumerate(self._scene.walks)
            if (where := _at(steps, seconds)) is not None
        ]
        picture = self._room.copy()
        owner = np.full(picture.shape[:2], -1, np.int16)
        # Nearer people are drawn later; of two as near, always the same one.
        for person, where in sorted(present, key=lambda pair: (pair[1].face_px, pair[0])):
            _draw(picture, owner, self._cast[person], where, number=person)
        for post in self._scene.posts:
            picture[:, int(post.left) : int(post.right)] = _POST_GREY
            owner[:, int(post.left) : int(post.right)] = -1
        boxes = [_face_box(self._cast[person], where) for person, where in present]
        visible = [
            _share_seen(owner, box, person) if where.turn < _BACK_OF_HEAD else 0.0
            for (person, where), box in zip(present, boxes, strict=True)
        ]
        noisy = np.clip(picture + self._noise[self._rng.integers(len(self._noise))], 0, 255).astype(np.uint8)
        truth = Truth([person for person, _ in present], np.array(boxes, np.float32).reshape(-1, 4), visible)
        return noisy, truth


def _at(steps: Sequence[Step], seconds: float) -> Step | None:
    if not steps[0].seconds <= seconds <= steps[-1].seconds:
        return None
    times = [step.seconds for step in steps]
    x, y, face_px, turn = (
        float(np.interp(seconds, times, [getattr(step, name) for step in steps]))
        for name in ("x", "y", "face_px", "turn")
    )
    return Step(seconds, x, y, face_px, turn)


def _matrix(head: CutOut, where: Step) -> NDArray[np.float64]:
    """Map a cut-out's pixels onto the picture; a head that turns grows narrower."""
    left, top, right, bottom = (float(value) for value in head.face_xyxy)
    scale = where.face_px / (bottom - top)
    scale_x = scale * (1 - 0.35 * where.turn)
    return np.array(
        [
            [scale_x, 0, where.x - scale_x * (left + right) / 2],
            [0, scale, where.y - scale * (top + bottom) / 2],
        ]
    )


def _face_box(head: CutOut, where: Step) -> NDArray[np.float32]:
    matrix = _matrix(head, where)
    corners = head.face_xyxy.reshape(2, 2) * np.diag(matrix[:, :2]) + matrix[:, 2]
    return corners.reshape(4).astype(np.float32)


def _draw(
    picture: NDArray[np.float32], owner: NDArray[np.int16], head: CutOut, where: Step, *, number: int
) -> None:
    matrix = _matrix(head, where)
    height, width = head.picture_rgba.shape[:2]
    start = np.floor(matrix[:, 2]).astype(int)
    end = np.ceil(matrix[:, 2] + np.diag(matrix[:, :2]) * (width, height)).astype(int)
    left, top = np.maximum(start, 0)
    right, bottom = np.minimum(end, SIZE_WH)
    if left >= right or top >= bottom:
        return
    matrix = matrix.copy()
    matrix[:, 2] -= (left, top)
    drawn = cv2.warpAffine(head.picture_rgba, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    colour, alpha = drawn[..., :3], drawn[..., 3:]
    if where.turn >= _BACK_OF_HEAD:
        colour = np.full_like(colour, 48.0)
    part = (slice(top, bottom), slice(left, right))
    picture[part] = alpha * colour + (1 - alpha) * picture[part]
    owner[part][alpha[..., 0] > 0.5] = number


def _share_seen(owner: NDArray[np.int16], box_xyxy: NDArray[np.float32], person: int) -> float:
    left, top, right, bottom = (round(float(value)) for value in box_xyxy)
    inside = owner[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    # The cut-out is an ellipse: of a face that nothing covers it fills nearly all of the box.
    return float((inside == person).sum()) / max((right - left) * (bottom - top), 1)


def _room(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return an empty room: a wall, a floor, and some furniture without a face in it."""
    room = np.full((SIZE_WH[1], SIZE_WH[0], 3), 0, np.float32)
    room[:] = rng.uniform(120, 200, 3)
    room[270:] = rng.uniform(60, 120, 3)
    for _ in range(14):
        x, y = rng.integers(0, SIZE_WH[0]), rng.integers(0, SIZE_WH[1])
        wide, high = rng.integers(20, 140), rng.integers(20, 120)
        room[y : y + high, x : x + wide] = rng.uniform(30, 230, 3)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), 1.2), dtype=np.float32)
