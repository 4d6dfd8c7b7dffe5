"""What was found, as it leaves the detector: shots, boxes and previews, rounded to what they can mean."""

from collections.abc import Iterable

from mien.contracts.events import BoxXyxy, FaceShot, Quality, TracksObserved, derive_event_id
from mien.contracts.frames import Frame
from mien.contracts.shared_state import Preview
from mien.vision.quality import FaceQuality
from services.detector.crops import FaceCrop
from services.detector.shots import Purpose


def preview_of(frame: Frame, observed: TracksObserved, *, detected_at_ns: int) -> Preview:
    """Return a frame together with its own boxes, for whoever watches."""
    return Preview(
        camera_id=frame.camera_id,
        frame_id=frame.frame_id,
        captured_at_ns=frame.captured_at_ns,
        detected_at_ns=detected_at_ns,
        size_wh=frame.size_wh,
        boxes_xyxy=observed.boxes_xyxy,
        track_ids=observed.track_ids,
        scores=observed.scores,
        jpeg=frame.jpeg,
    )


def as_contract(quality: FaceQuality) -> Quality:
    """Return a quality as it travels in events, rounded to what it can mean."""
    return Quality(
        score=round(quality.score, 3),
        size_px=round(quality.size_px, 1),
        sharpness=round(quality.sharpness, 1),
        yaw=round(quality.yaw, 3),
        brightness=round(quality.brightness, 1),
        detection_score=round(quality.detection_score, 3),
        pitch=round(quality.pitch, 3),
        evenness=round(quality.evenness, 3),
    )


def shot_of(
    frame: Frame, track_id: str, crop: FaceCrop, quality: FaceQuality, *, purpose: Purpose, number: int
) -> FaceShot:
    """Return a face cut out of a frame, as the shot of this number that its track sends for a purpose."""
    return FaceShot(
        camera_id=frame.camera_id,
        event_id=derive_event_id(track_id, purpose, number),
        captured_at_ns=frame.captured_at_ns,
        trace=frame.trace,
        track_id=track_id,
        frame_id=frame.frame_id,
        shot_number=number,
        crop_jpeg=crop.jpeg,
        box_xyxy=crop.box_xyxy,
        landmarks_xy=crop.landmarks_xy,
        quality=as_contract(quality),
        purpose=purpose,
    )


def as_box(values: Iterable[float]) -> BoxXyxy:
    """Return a box rounded to a tenth of a pixel."""
    left, top, right, bottom = (round(float(value), 1) for value in values)
    return left, top, right, bottom
