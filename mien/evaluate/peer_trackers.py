"""Trackers of Roboflow's ``trackers`` package on given boxes; runs in that package's own environment.

Reads a JSON line per frame, ``{"clip", "fps", "seconds", "boxes_xyxy", "scores"}``; answers with the track
ids of the boxes by tracker, null where a box is not followed. The trackers are told the rate and each
frame's time, wait for a face that is gone as long as ours, and are asked to follow from the first frame on.
"""

import json
import sys
from typing import Any

import numpy as np
import supervision
import trackers

_GAP_SECONDS = 1.5
_TRACKERS = {
    "SORT": trackers.SORTTracker,
    "ByteTrack": trackers.ByteTrackTracker,
    "OC-SORT": trackers.OCSORTTracker,
}


def _begin(fps: float) -> dict[str, Any]:
    return {
        name: kind(frame_rate=fps, lost_track_buffer=round(_GAP_SECONDS * 30), minimum_consecutive_frames=1)
        for name, kind in _TRACKERS.items()
    }


def _follow(tracker: Any, frame: dict[str, Any]) -> list[int | None]:
    count = len(frame["scores"])
    seen = supervision.Detections(
        xyxy=np.array(frame["boxes_xyxy"], np.float32).reshape(-1, 4),
        confidence=np.array(frame["scores"], np.float32),
        class_id=np.arange(count),  # answers come in another order
    )
    found = tracker.update(seen, timestamp=frame["seconds"])
    ids: list[int | None] = [None] * count
    if len(found):
        for row, track_id in zip(found.class_id, found.tracker_id, strict=True):
            ids[int(row)] = int(track_id) if track_id >= 0 else None
    return ids


def main() -> None:
    """Answer each line until the input ends."""
    clip, running = None, {}
    for line in sys.stdin:
        frame = json.loads(line)
        if frame["clip"] != clip:
            clip, running = frame["clip"], _begin(frame["fps"])
        print(json.dumps({name: _follow(tracker, frame) for name, tracker in running.items()}), flush=True)


if __name__ == "__main__":
    main()
