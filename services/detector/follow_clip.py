"""Tracks and shots of clips, for whoever measures: ``python -m services.detector.follow_clip``.

Reads a ``ClipFrame`` per line of standard input and answers each with a line of standard output, a
``FrameFollowed`` of :mod:`mien.contracts.follow_clip`. The pipeline is the service's own, with its settings.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec

from mien.contracts.cameras import Camera
from mien.contracts.follow_clip import ClipFrame, FrameFollowed, ShotSent
from mien.contracts.frames import Frame
from mien.runtime.settings import settings_from_command_line
from mien.vision.jpeg import decode_jpeg_rgb
from mien.vision.quality import assess_face
from services.detector.config import DetectorSettings
from services.detector.detection import VideoFaceDetector
from services.detector.mtcnn import MtcnnDetector
from services.detector.pipeline import CameraPipeline
from services.detector.tracker import FaceTracker, FollowedFace


class ClipFollower:
    """Follows one clip after the other, each as a camera of its own."""

    def __init__(self, settings: DetectorSettings, detector: VideoFaceDetector) -> None:
        self._settings = settings
        self._detector = detector
        self._begin("")
        self._frames = 0

    def follow(self, asked: ClipFrame) -> FrameFollowed:
        """Take in the next frame.

        Raises:
            OSError: Its file can't be read.
            ImageError: It does not decode.
        """
        if asked.clip != self._camera.camera_id:
            self._begin(asked.clip)
        jpeg = Path(asked.path).read_bytes()
        self._frames += 1
        started = time.process_time()
        image = decode_jpeg_rgb(jpeg)
        frame = Frame(
            frame_id=f"{asked.clip}:1:{self._frames}",
            jpeg=jpeg,
            captured_at_ns=asked.captured_at_ns,
            size_wh=(image.shape[1], image.shape[0]),
        )
        found = self._pipeline.look(frame, image, self._detector, min_face_px=self._camera.min_face_px)
        observation = self._pipeline.observe(frame, found, image)
        shots = self._pipeline.take_shots(frame, image, observation, self._camera, self._detector)
        spent = time.process_time() - started
        by_boxes = self._by_boxes.update(found, asked.captured_at_ns)
        views = zip(found.boxes_xyxy, found.landmarks_xy, found.scores, strict=True)
        return FrameFollowed(
            clip=asked.clip,
            captured_at_ns=asked.captured_at_ns,
            boxes_xyxy=found.boxes_xyxy.tolist(),
            scores=found.scores.tolist(),
            track_ids=_by_row(observation.faces, len(found)),
            track_ids_by_boxes=_by_row(by_boxes.faces, len(found)),
            qualities=[assess_face(image, box, points, float(score)).score for box, points, score in views],
            shots=[
                ShotSent(track_id=shot.track_id, purpose=shot.purpose, quality=shot.quality.score)
                for shot in shots.taken
            ],
            skipped=dict(shots.skipped),
            looked_near=observation.looked_near,
            cpu_seconds=spent,
        )

    def _begin(self, clip: str) -> None:
        settings = self._settings
        self._camera = Camera(
            camera_id=clip,
            name=clip,
            url="",
            partition=0,
            emotion_policy="per_person",
            emotion_purpose="measurement",
        )
        self._pipeline = CameraPipeline(
            clip, 1, tracking=settings.tracking(), shots=settings.shots(), search=settings.search()
        )
        self._by_boxes = FaceTracker(clip, 1, settings=settings.tracking())


def _by_row(faces: Sequence[FollowedFace], count: int) -> list[str | None]:
    followed = {face.detection_index: face.track_id for face in faces}
    return [followed.get(row) for row in range(count)]


def main() -> None:
    """Answer each line until the input ends."""
    settings = settings_from_command_line(DetectorSettings, "Follow the faces of clips: frames in, JSON out.")
    cv2.setNumThreads(1)
    detector = MtcnnDetector(limits=settings.mtcnn_limits(), inference_threads=settings.inference_threads)
    follower, encoder = ClipFollower(settings, detector), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        followed = follower.follow(msgspec.json.decode(line, type=ClipFrame))
        sys.stdout.buffer.write(encoder.encode(followed) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
