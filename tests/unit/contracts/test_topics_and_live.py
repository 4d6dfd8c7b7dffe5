"""Topics keep pixels for minutes only; live messages can be split again."""

from mien.contracts.live import LiveFace, LiveFrame, decode_live_frame, encode_live_frame
from mien.contracts.topics import DEAD_LETTERS, EMOTION_FACES, FACE_CHECKS, FRAMES, IDENTITY_FACES, TOPICS


def test_topic_names_are_unique_and_versioned() -> None:
    """A name ends in the version of its contract."""
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("mien.") and name.endswith(".v1") for name in names)


def test_topics_with_pixels_forget_them_within_minutes() -> None:
    """Kafka deletes whole segments, so a segment may not be longer than the retention."""
    for topic in (FRAMES, IDENTITY_FACES, EMOTION_FACES, FACE_CHECKS):
        assert topic.retention_ms <= 300_000
        assert topic.segment_ms <= topic.retention_ms / 2
        assert topic.configs["segment.ms"] == str(topic.segment_ms)


def test_dead_letters_have_one_partition() -> None:
    """They are read by people, in order."""
    assert DEAD_LETTERS.partitions == 1


def test_live_frame_splits_into_what_was_joined() -> None:
    """The binary layout loses nothing."""
    frame = LiveFrame(
        camera_id="door",
        frame_id="door:1:2",
        captured_at_ns=1,
        detected_at_ns=2,
        sent_at_ns=3,
        size_wh=(640, 360),
        faces=[LiveFace(track_id="door:1:1", box_xyxy=(1.0, 2.0, 3.0, 4.0), score=0.9, answer="unknown")],
    )
    assert decode_live_frame(encode_live_frame(frame, b"jpeg")) == (frame, b"jpeg")
