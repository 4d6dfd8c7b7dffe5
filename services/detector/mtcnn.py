"""MTCNN made for video on a CPU: the networks of the ``mtcnn`` package without the cost around them.

The pyramid of a frame size is planned once and each level is scaled from the one before it; candidates are
cut out, batched and capped, so that a frame full of noise costs no more than a crowd. Thresholds and the
suppression by any better box are the package's, for they decide which faces are found.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.runtime.quiet_openvino import openvino as ov
from mien.vision.boxes import Boxes, clipped, squared, suppress_overlaps
from services.detector.detection import Detections
from services.detector.mtcnn_networks import build_networks

# A proposal cell sees 12x12 pixels and cells are 2 pixels apart; levels shrink by 0.709 (half the area).
_CELL_PX, _STRIDE_PX = 12, 2
_PYRAMID_FACTOR = 0.709
# Overlaps from which the worse box falls, as in the package: in a level, over levels, after R-Net, O-Net.
_LEVEL_OVERLAP, _PROPOSAL_OVERLAP, _REFINED_OVERLAP, _FINAL_OVERLAP = 0.5, 0.7, 0.7, 0.7


@dataclass(frozen=True)
class MtcnnLimits:
    """How sure each network must be, and how much work one picture may cause.

    Attributes:
        proposal_score: Least score of P-Net; the three defaults are the package's.
        refinement_score: Least score of R-Net.
        output_score: Least score of O-Net, which is the detection's own.
        level_candidates: Most boxes taken from one pyramid level.
        refined_candidates: Most boxes that R-Net looks at, the best over all levels.
        output_candidates: Most boxes that O-Net looks at: the cap on faces in a picture.
    """

    proposal_score: float = 0.6
    refinement_score: float = 0.7
    output_score: float = 0.8
    level_candidates: int = 256
    refined_candidates: int = 128
    output_candidates: int = 64


class MtcnnDetector:
    """Finds faces with MTCNN. One instance serves one thread at a time."""

    def __init__(self, *, limits: MtcnnLimits | None = None, inference_threads: int = 1) -> None:
        self._limits = limits or MtcnnLimits()
        config = {
            "INFERENCE_NUM_THREADS": inference_threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # several detectors on a machine would all take the first core
        }
        core, networks = ov.Core(), build_networks()
        # P-Net takes any size: a graph per pyramid level was 6 % faster a frame, but cost 200 ms and 20 MB
        # for each new frame size (and each enrolment photo has its own).
        self._proposal, self._refinement, self._output = (
            core.compile_model(network, "CPU", config).create_infer_request()
            for network in (networks.proposal, networks.refinement, networks.output)
        )

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), whose side is at least about *min_face_px*."""
        proposed = self._propose(image_rgb, min_face_px)
        refined = self._refine(image_rgb, proposed)
        return self._decide(image_rgb, refined)

    def detect_near(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), around boxes, shape (N, 4), and nowhere else."""
        refined = self._refine(image_rgb, squared(boxes_xyxy))
        return self._decide(image_rgb, refined)

    def _propose(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Boxes:
        """Return square candidate boxes of all sizes, shape (N, 4)."""
        limits = self._limits
        height, width = image_rgb.shape[:2]
        boxes, scores = [], []
        level = image_rgb
        for index, size_wh in enumerate(pyramid_sizes((width, height), min_face_px)):
            # The first step is the big one and must not alias; the later ones are small.
            how = cv2.INTER_AREA if index == 0 else cv2.INTER_LINEAR
            level = np.asarray(cv2.resize(level, size_wh, interpolation=how), dtype=np.uint8)
            self._proposal.infer([level[None]], share_inputs=True)
            level_boxes, level_scores = _boxes_of_cells(
                self._proposal.get_output_tensor(0).data[0],
                self._proposal.get_output_tensor(1).data[0],
                scale_xy=(size_wh[0] / width, size_wh[1] / height),
                min_score=limits.proposal_score,
            )
            kept = suppress_overlaps(
                level_boxes, level_scores, max_overlap=_LEVEL_OVERLAP, limit=limits.level_candidates
            )
            boxes.append(level_boxes[kept])
            scores.append(level_scores[kept])
        if not boxes:
            return np.zeros((0, 4), np.float32)
        all_boxes, all_scores = np.concatenate(boxes), np.concatenate(scores)
        kept = suppress_overlaps(
            all_boxes, all_scores, max_overlap=_PROPOSAL_OVERLAP, limit=2 * limits.level_candidates
        )
        return squared(all_boxes[kept[: limits.refined_candidates]])

    def _refine(self, image_rgb: NDArray[np.uint8], candidates_xyxy: Boxes) -> Boxes:
        """Return the candidates that R-Net takes for faces, moved by it and square, shape (N, 4)."""
        if not len(candidates_xyxy):
            return candidates_xyxy
        self._refinement.infer([_cut_out(image_rgb, candidates_xyxy, side=24)], share_inputs=True)
        scores = self._refinement.get_output_tensor(0).data
        taken = np.flatnonzero(scores > self._limits.refinement_score)
        offsets = self._refinement.get_output_tensor(1).data[taken]
        boxes = _moved(candidates_xyxy[taken], offsets)
        kept = suppress_overlaps(boxes, scores[taken], max_overlap=_REFINED_OVERLAP)
        return squared(boxes[kept[: self._limits.output_candidates]])

    def _decide(self, image_rgb: NDArray[np.uint8], candidates_xyxy: Boxes) -> Detections:
        if not len(candidates_xyxy):
            return Detections.none()
        self._output.infer([_cut_out(image_rgb, candidates_xyxy, side=48)], share_inputs=True)
        scores = self._output.get_output_tensor(0).data
        taken = np.flatnonzero(scores > self._limits.output_score)
        offsets = self._output.get_output_tensor(1).data[taken]
        points = self._output.get_output_tensor(2).data[taken]
        landmarks = _landmarks_in_picture(points, candidates_xyxy[taken])
        boxes = _moved(candidates_xyxy[taken], offsets)
        kept = suppress_overlaps(boxes, scores[taken], max_overlap=_FINAL_OVERLAP, relative_to="smaller")
        height, width = image_rgb.shape[:2]
        return Detections(clipped(boxes, (width, height))[kept], scores[taken][kept], landmarks[kept])


@lru_cache(maxsize=256)
def pyramid_sizes(size_wh: tuple[int, int], min_face_px: int) -> tuple[tuple[int, int], ...]:
    """Return the sizes of the pyramid's levels, largest first; empty where no face of that size fits.

    On the first level a face of *min_face_px* is as large as a proposal cell sees.
    """
    sizes = []
    scale = _CELL_PX / min_face_px
    while min(size_wh) * scale >= _CELL_PX:
        sizes.append((round(size_wh[0] * scale), round(size_wh[1] * scale)))
        scale *= _PYRAMID_FACTOR
    return tuple(sizes)


def _boxes_of_cells(
    probabilities: NDArray[np.float32],
    offsets: NDArray[np.float32],
    *,
    scale_xy: tuple[float, float],
    min_score: float,
) -> tuple[Boxes, NDArray[np.float32]]:
    """Return the boxes of cells that may hold a face, in pixels of the picture, and their scores."""
    rows, columns = np.nonzero(probabilities > min_score)
    corners = np.stack([columns, rows], axis=1) * _STRIDE_PX + 1
    boxes = np.concatenate([corners, corners + _CELL_PX - 1], axis=1) + offsets[rows, columns] * (
        _CELL_PX - 1
    )
    return (boxes / (*scale_xy, *scale_xy)).astype(np.float32), probabilities[rows, columns]


def _moved(boxes_xyxy: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Shift each corner by its offset, a share of the box's sides."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + 1
    return boxes_xyxy + offsets * np.tile(sides, 2)


def _landmarks_in_picture(points: NDArray[np.float32], boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Turn shares of the box, five x then five y, into pixels of the picture, shape (N, 5, 2)."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + 1
    shares = np.stack([points[:, :5], points[:, 5:]], axis=-1)
    return np.asarray(boxes_xyxy[:, None, :2] + shares * sides[:, None])


def _cut_out(image_rgb: NDArray[np.uint8], boxes_xyxy: Boxes, *, side: int) -> NDArray[np.uint8]:
    """Scale square boxes to *side* pixels, shape (N, side, side, 3); black beyond the picture's edge."""
    patches = np.empty((len(boxes_xyxy), side, side, 3), np.uint8)
    for patch, (left, top, right, _) in zip(patches, boxes_xyxy.astype(np.float64), strict=True):
        step = max((right - left) / side, 1e-3)
        # Maps pixel centres of the patch onto the picture.
        matrix = np.array([[step, 0, left + step / 2 - 0.5], [0, step, top + step / 2 - 0.5]])
        cv2.warpAffine(
            image_rgb, matrix, (side, side), dst=patch, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
    return patches
