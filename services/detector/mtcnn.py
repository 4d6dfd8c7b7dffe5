"""MTCNN made for video on a CPU: the networks of the ``mtcnn`` package without the cost around them.

Each network is called with as much as it can do at once: P-Net with a canvas of all pyramid levels, R- and
O-Net with batches of candidates that are capped, so that a frame full of noise costs no more than a crowd.
Scores and the suppression by any better box are the package's, for they decide which faces are found.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mien.runtime.quiet_openvino import openvino as ov
from mien.vision.boxes import Boxes, clipped, squared, suppress_overlaps
from services.detector.candidates import PATIENCE, CandidateQueue
from services.detector.detection import Detections, Landmarks
from services.detector.mtcnn_networks import build_networks
from services.detector.pyramid import plan_pyramid

# Overlaps from which the worse box falls: in a level, over levels, after R-Net, O-Net. As in the package, but
# after R-Net, where 0.7 lets a tenth more copies of the same faces through and brings no other face.
_LEVEL_OVERLAP, _PROPOSAL_OVERLAP, _REFINED_OVERLAP, _FINAL_OVERLAP = 0.5, 0.7, 0.5, 0.7

# The points of a mirrored face, in the order that they have in its mirror image.
_MIRRORED_POINTS = [1, 0, 2, 4, 3]

# Nothing, to the networks. Black lost three more of the faces that the edge of 500 LFW photographs cuts.
_MEAN_GREY = (127, 127, 127)


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
    refined_candidates: int = 512
    output_candidates: int = 64


class MtcnnDetector:
    """Finds faces with MTCNN. One instance serves one thread at a time."""

    def __init__(self, *, limits: MtcnnLimits | None = None, inference_threads: int = 1) -> None:
        self._limits = limits or MtcnnLimits()
        networks = build_networks()
        # Graphs compiled for the shapes of one frame size were no faster than these, which take any.
        self._proposal, self._refinement, self._output = (
            compile_network(network, inference_threads=inference_threads)
            for network in (networks.proposal, networks.refinement, networks.output)
        )

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), whose side is at least about *min_face_px*."""
        proposed = self._propose(image_rgb, min_face_px)
        refined = self._refine(image_rgb, proposed)
        return self._decide(image_rgb, refined)

    def detect_near(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), around boxes, shape (N, 4), and nowhere else."""
        # These boxes come in no order and for a reason: each is looked at.
        refined = self._refine(image_rgb, squared(boxes_xyxy), patience=1)
        return self._decide(image_rgb, refined)

    def look_again(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Landmarks:
        """Return the landmarks of faces, boxes (N, 4), by O-Net's view of each box and of its mirror image.

        The first look at a face was at R-Net's box, which lies about it more loosely. The mean of both views
        took the default embedder on LFW from 98.8 to 99.2 % (``mien evaluate identity``); more of them, of
        boxes shifted and scaled by a twentieth, added nothing.
        """
        if not len(boxes_xyxy):
            return np.zeros((0, 5, 2), np.float32)
        boxes = squared(boxes_xyxy)
        patches = _cut_out(image_rgb, boxes, side=48)
        self._output.infer([np.concatenate([patches, patches[:, :, ::-1]])], share_inputs=True)
        shares = self._output.get_output_tensor(0).data[:, 5:].reshape(2, len(boxes), 2, 5)
        # Of what was cut out, which is as wide as the box: a mean of mirror images shows half a pixel.
        sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
        seen, mirrored = boxes[:, None, :2] + shares.transpose(0, 1, 3, 2) * sides
        mirrored[..., 0] = boxes[:, [0]] + boxes[:, [2]] - 1 - mirrored[..., 0]
        return np.asarray((seen + mirrored[:, _MIRRORED_POINTS]) / 2, dtype=np.float32)

    def _propose(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Boxes:
        """Return square candidate boxes of all sizes, the likeliest first, shape (N, 4)."""
        limits = self._limits
        plan = plan_pyramid((image_rgb.shape[1], image_rgb.shape[0]), min_face_px)
        if plan is None:
            return np.zeros((0, 4), np.float32)
        self._proposal.infer([plan.draw(image_rgb)[None]], share_inputs=True)
        logits, *offsets = self._proposal.get_output_tensor(0).data.reshape(5, -1)
        cells = plan.in_a_level(np.flatnonzero(logits > logit(limits.proposal_score)))
        scores = expit(logits[cells])
        boxes = plan.boxes_of_cells(cells, np.stack([plane[cells] for plane in offsets], axis=1))
        kept = np.zeros(0, np.intp)
        for rows in plan.by_level(cells):
            best = suppress_overlaps(
                boxes[rows], scores[rows], max_overlap=_LEVEL_OVERLAP, limit=limits.level_candidates
            )
            kept = np.append(kept, rows[best])
        best = suppress_overlaps(
            boxes[kept], scores[kept], max_overlap=_PROPOSAL_OVERLAP, limit=2 * limits.level_candidates
        )
        return squared(boxes[kept[best[: limits.refined_candidates]]])

    def _refine(
        self, image_rgb: NDArray[np.uint8], candidates_xyxy: Boxes, *, patience: float = PATIENCE
    ) -> Boxes:
        """Return the candidates that R-Net takes for faces, moved by it and square, shape (N, 4)."""
        queue = CandidateQueue(candidates_xyxy, patience=patience)
        while len(candidates := queue.next_round()):
            self._refinement.infer([_cut_out(image_rgb, candidates, side=24)], share_inputs=True)
            answers = self._refinement.get_output_tensor(0).data
            scores = expit(answers[:, 0])
            taken = np.flatnonzero(scores > self._limits.refinement_score)
            queue.accept(_moved(candidates[taken], answers[taken, 1:5]), scores[taken])
        boxes, scores = queue.accepted()
        kept = suppress_overlaps(boxes, scores, max_overlap=_REFINED_OVERLAP)
        return squared(boxes[kept[: self._limits.output_candidates]])

    def _decide(self, image_rgb: NDArray[np.uint8], candidates_xyxy: Boxes) -> Detections:
        """Return the candidates that O-Net takes for faces, moved by it, with their landmarks."""
        if not len(candidates_xyxy):
            return Detections.none()
        self._output.infer([_cut_out(image_rgb, candidates_xyxy, side=48)], share_inputs=True)
        answers = self._output.get_output_tensor(0).data
        scores = expit(answers[:, 0])
        taken = np.flatnonzero(scores > self._limits.output_score)
        landmarks = _landmarks_in_picture(answers[taken, 5:], candidates_xyxy[taken])
        boxes = _moved(candidates_xyxy[taken], answers[taken, 1:5])
        kept = suppress_overlaps(boxes, scores[taken], max_overlap=_FINAL_OVERLAP, relative_to="smaller")
        height, width = image_rgb.shape[:2]
        return Detections(clipped(boxes, (width, height))[kept], scores[taken][kept], landmarks[kept])


def compile_network(network: Any, *, inference_threads: int = 1) -> Any:
    """Return a network ready to be called, in the precision that the engine prefers on this machine.

    That is bfloat16 where the processor has instructions for it, else float32.
    """
    config = {
        "INFERENCE_NUM_THREADS": inference_threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # several detectors on a machine would all take the first core
    }
    return ov.Core().compile_model(network, "CPU", config).create_infer_request()


def _moved(boxes_xyxy: Boxes, offsets: NDArray[np.float32]) -> Boxes:
    """Shift each corner by its offset, a share of the box's sides."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + 1
    return boxes_xyxy + offsets * np.tile(sides, 2)


def _landmarks_in_picture(points: NDArray[np.float32], boxes_xyxy: Boxes) -> Landmarks:
    """Turn shares of the box, five x then five y, into pixels of the picture, shape (N, 5, 2)."""
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2] + 1
    shares = np.stack([points[:, :5], points[:, 5:]], axis=-1)
    return np.asarray(boxes_xyxy[:, None, :2] + shares * sides[:, None])


def _cut_out(image_rgb: NDArray[np.uint8], boxes_xyxy: Boxes, *, side: int) -> NDArray[np.uint8]:
    """Scale square boxes to *side* pixels, shape (N, side, side, 3); grey beyond the picture's edge.

    All boxes are cut by one call, from a map of where each pixel comes from: half the time of one each.
    """
    step = np.maximum(boxes_xyxy[:, 2] - boxes_xyxy[:, 0], 1e-3)[:, None] / side
    along = (np.arange(side, dtype=np.float32) + 0.5) * step - 0.5  # pixel centres onto the picture
    shape = (len(boxes_xyxy), side, side)
    x = np.broadcast_to((boxes_xyxy[:, :1] + along)[:, None, :], shape).reshape(-1, side)
    y = np.broadcast_to((boxes_xyxy[:, 1:2] + along)[:, :, None], shape).reshape(-1, side)
    patches = cv2.remap(
        image_rgb, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_MEAN_GREY
    )
    return np.asarray(patches, dtype=np.uint8).reshape(*shape, 3)
