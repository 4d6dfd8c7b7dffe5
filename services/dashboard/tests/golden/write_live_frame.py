"""Write the golden live frame that the dashboard's decoder is tested on; run it from the repository root."""

from pathlib import Path

from mien.contracts.live import LiveEmotion, LiveFace, LiveFrame, encode_live_frame

KNOWN = LiveFace(
    track_id="front-door:7:4",
    box_xyxy=(100.5, 80.0, 180.25, 176.0),
    score=0.998,
    answer="known",
    state="confirmed",
    person_id="p-ada",
    person_name="Ada Łovelace",
    similarity=0.71,
    emotion=LiveEmotion(
        label="happy",
        probabilities={
            "angry": 0.01,
            "happy": 0.9,
            "neutral": 0.05,
            "sad": 0.02,
            "tired": 0.01,
            "other": 0.01,
        },
    ),
)
PENDING = LiveFace(track_id="front-door:7:5", box_xyxy=(300, 90, 360, 150), score=0.9)
FRAME = LiveFrame(
    camera_id="front-door",
    frame_id="front-door:3:1207",
    captured_at_ns=1_790_000_000_123_456_789,
    detected_at_ns=1_790_000_000_223_456_789,
    sent_at_ns=1_790_000_000_243_456_789,
    size_wh=(640, 360),
    faces=[KNOWN, PENDING],
)
JPEG_STAND_IN = bytes.fromhex("ffd8ffdb0043000102ffd9")

if __name__ == "__main__":
    path = Path(__file__).with_name("live_frame.v1.bin")
    path.write_bytes(encode_live_frame(FRAME, JPEG_STAND_IN))
