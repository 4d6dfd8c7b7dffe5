"""Video files, played at their own pace, again and again."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import av

from mien.contracts.cameras import Camera
from services.ingest.address import path_of
from services.ingest.config import IngestSettings
from services.ingest.failures import UnsupportedError
from services.ingest.picture import DecodedPicture, Picture
from services.ingest.sources.pace import Pace
from services.ingest.sources.source import SourceBase, VideoSource, stated_fps_of, video_stream

# Formats that hold video themselves; playlists, which name other files, are left out.
FILE_OPTIONS: Final = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,mjpeg",
}


def open_file(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a video file."""
    return FileSource(path_of(camera), stop)


class FileSource(SourceBase):
    """Plays a video file at its own pace, again and again."""

    def __init__(self, path: str, stop: threading.Event) -> None:
        self._path = path
        self._pace = Pace(stop)
        self._container = self._open()
        stream = video_stream(self._container)
        super().__init__(str(stream.codec_context.name), stated_fps=stated_fps_of(stream))

    def pictures(self) -> Iterator[Picture | None]:
        """Yield the pictures when they are due; time goes on over the end of the file."""
        played_seconds = 0.0
        while True:
            stream = video_stream(self._container)
            first: float | None = None
            end_seconds = 0.0
            for frame in self._frames(stream):
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                media_seconds = played_seconds + frame.time - first
                end_seconds = max(end_seconds, media_seconds + 1.0 / float(stream.average_rate or 25))
                if not self._pace.wait_for(media_seconds):
                    return
                yield DecodedPicture(frame, media_seconds, time.time_ns())
            if first is None:
                raise UnsupportedError("the file holds no pictures")
            played_seconds = end_seconds
            self._container.close()
            self._container = self._open()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _frames(self, stream: Any) -> Iterator[Any]:
        for packet in self._container.demux(stream):
            if packet.pts is not None:
                media_seconds = float(packet.pts * packet.time_base)
                self.traffic.note(packet.size, media_seconds, is_keyframe=bool(packet.is_keyframe))
            yield from packet.decode()

    def _open(self) -> Any:
        return av.open(self._path, options=dict(FILE_OPTIONS))
