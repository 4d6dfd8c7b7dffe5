"""One of each event, for tests that need one; the golden files hold exactly these."""

from typing import Any

from mien.contracts import camera_requests, events

QUALITY = events.Quality(
    score=0.8, size_px=42.0, sharpness=310.5, yaw=-0.1, brightness=127.0, detection_score=0.998
)
TRACK_ID = "door:3:17"
FRAME_ID = "door:3:1024"
CAPTURED_AT_NS = 1_790_000_000_123_456_789
_COMMON: dict[str, Any] = {
    "camera_id": "door",
    "captured_at_ns": CAPTURED_AT_NS,
    "trace": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01",
}

_DEVICE = camera_requests.CameraDevice(
    address="http://192.168.1.20/onvif/device_service", host="192.168.1.20", name="Door", maker="Acme"
)


def face_shot(**changes: Any) -> events.FaceShot:
    """Return a face shot of the sample track, with some fields changed."""
    fields: dict[str, Any] = {
        **_COMMON,
        "event_id": "shot-1",
        "track_id": TRACK_ID,
        "frame_id": FRAME_ID,
        "shot_number": 1,
        "crop_jpeg": b"\xff\xd8crop\xff\xd9",
        "box_xyxy": (40.0, 40.0, 160.0, 180.0),
        "landmarks_xy": [(70.0, 90.0), (130.0, 90.0), (100.0, 120.0), (75.0, 150.0), (125.0, 150.0)],
        "quality": QUALITY,
        "purpose": "identity",
    }
    return events.FaceShot(**(fields | changes))


SAMPLES: dict[str, events.Event] = {
    "CameraChanged": events.CameraChanged(**_COMMON, event_id="c-1", revision=4),
    "CameraStateChanged": events.CameraStateChanged(
        **_COMMON, event_id="s-1", state="backoff", reason="the camera does not answer", replica="host-1"
    ),
    "CameraTestRequested": camera_requests.CameraTestRequested(**_COMMON, event_id="r-1", request_id="r"),
    "CameraTested": camera_requests.CameraTested(
        **_COMMON,
        event_id="r-2",
        request_id="r",
        ok=True,
        explanation="streams",
        size_wh=(640, 360),
        snapshot_jpeg=b"j",
    ),
    "CameraTestAdvanced": camera_requests.CameraTestAdvanced(
        **_COMMON, event_id="r-3", request_id="r", step="measuring"
    ),
    "CameraFound": camera_requests.CameraFound(**_COMMON, event_id="r-4", request_id="r", device=_DEVICE),
    "SearchEnded": camera_requests.SearchEnded(
        **_COMMON, event_id="r-5", request_id="r", found=1, searched=["192.168.1.2"]
    ),
    "ProfilesListed": camera_requests.ProfilesListed(
        **_COMMON,
        event_id="r-6",
        request_id="r",
        ok=True,
        explanation="2 streams",
        device=_DEVICE,
        profiles=(
            camera_requests.StreamProfile(
                name="Main", url="rtsp://192.168.1.20/0", codec="H264", size_wh=(1920, 1080), fps=25.0
            ),
        ),
        url="rtsp://192.168.1.20/1",
        main_stream_url="rtsp://192.168.1.20/0",
    ),
    "FaceCheckRequested": events.FaceCheckRequested(
        **_COMMON, event_id="f-1", request_id="r", photo_jpeg=b"\xff\xd8photo\xff\xd9"
    ),
    "TracksObserved": events.TracksObserved(
        **_COMMON,
        event_id="t-1",
        frame_id=FRAME_ID,
        size_wh=(640, 360),
        boxes_xyxy=[(1.0, 2.0, 3.0, 4.0)],
        track_ids=[TRACK_ID],
        scores=[0.99],
    ),
    "TrackStarted": events.TrackStarted(**_COMMON, event_id="t-2", track_id=TRACK_ID, frame_id=FRAME_ID),
    "TrackEnded": events.TrackEnded(
        **_COMMON,
        event_id="t-3",
        track_id=TRACK_ID,
        started_at_ns=CAPTURED_AT_NS - 9_000_000_000,
        last_seen_at_ns=CAPTURED_AT_NS,
        frames_seen=45,
        identity_shots=3,
        emotion_shots=9,
    ),
    "FaceShot": face_shot(),
    "IdentityDecided": events.IdentityDecided(
        **_COMMON,
        event_id="i-1",
        track_id=TRACK_ID,
        shot_number=2,
        state="confirmed",
        answer="known",
        person_id="p-1",
        similarity=0.96,
        model="face_embedder",
        model_version=1,
        gallery_generation=7,
    ),
    "EmotionEstimated": events.EmotionEstimated(
        **_COMMON,
        event_id="e-1",
        track_id=TRACK_ID,
        shot_number=5,
        label="happy",
        probabilities={"happy": 0.9, "neutral": 0.1},
        model="emotion_classifier",
        model_version=1,
    ),
    "TirednessEstimated": events.TirednessEstimated(
        **_COMMON,
        event_id="ti-1",
        track_id=TRACK_ID,
        shot_number=90,
        answer="tired",
        reason=None,
        perclos=0.21,
        yawns=1,
        watched_seconds=58.0,
        model="eyelids",
        model_version=1,
    ),
    "PhotoSubmitted": events.PhotoSubmitted(
        camera_id="",
        captured_at_ns=CAPTURED_AT_NS,
        event_id="ph",
        photo_id="ph",
        person_id="p-1",
        photo_jpeg=b"jpeg",
    ),
    "TemplateCreated": events.TemplateCreated(
        camera_id="",
        captured_at_ns=CAPTURED_AT_NS,
        event_id="tc",
        photo_id="ph",
        person_id="p-1",
        template_id="tmpl",
        model="face_embedder",
        model_version=1,
        quality=QUALITY,
        face_jpeg=b"jpeg",
    ),
    "PhotoRejected": events.PhotoRejected(
        camera_id="",
        captured_at_ns=CAPTURED_AT_NS,
        event_id="pr",
        photo_id="ph",
        person_id="p-1",
        reason="no_face",
        explanation="expected one face, got none",
    ),
    "StrangerSeen": events.StrangerSeen(
        **_COMMON,
        event_id="ss-1",
        member_id=TRACK_ID,
        track_id=TRACK_ID,
        stranger_id="s-1",
        quality=0.8,
        face_jpeg=b"jpeg",
    ),
    "StrangerWithdrawn": events.StrangerWithdrawn(
        **_COMMON, event_id="sw-1", member_id=TRACK_ID, stranger_id="s-1"
    ),
    "DeadLetter": events.DeadLetter(
        **_COMMON,
        event_id="d-1",
        service="detector",
        topic="mien.frames.v1",
        partition=3,
        offset=99,
        error="expected a JPEG",
        value_bytes=12,
    ),
}
