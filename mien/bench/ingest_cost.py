"""What reading a camera costs, beside OpenCV and an ffmpeg process that do the same work."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from mien.bench.camera_clips import write_camera_clip
from mien.bench.peers import locked_version, peer_python
from mien.bench.processes import simulated_cameras
from mien.contracts.cameras import Camera, DecodePolicy
from mien.contracts.read_pictures import PicturesRead, Reading
from mien.local.line_process import LineProcess
from mien.simulator.clips import Codec

OURS: Final = "Mien"
OURS_FASTER: Final = "Mien, without the loop filter"
OPENCV: Final = "OpenCV VideoCapture"
FFMPEG: Final = "ffmpeg process, raw pictures"
FFMPEG_JPEG: Final = "ffmpeg process, JPEGs"
PEERS: Final = (OPENCV, FFMPEG, FFMPEG_JPEG)
FPS: Final = 5.0
CODECS: Final[tuple[Codec, ...]] = ("h264", "hevc")
_SIZE_WH: Final = (1280, 720)
_READ_OURS: Final = "services.ingest.read_pictures"
_READ_FFMPEG: Final = "mien.bench.contenders.read_ffmpeg"

Advance = Callable[[str], None]
"""Told what is being done, once for each reading."""


@dataclass(frozen=True)
class Kind:
    """A kind of camera and how many of them are read at a time.

    Attributes:
        clip: Name of the clip that they show.
        width_px: Of the JPEGs; an MJPEG camera's own have it, so that they need not be made anew.
        readers: Who reads them; ours comes first.
    """

    name: str
    clip: str
    cameras: int
    decode: DecodePolicy = "auto"
    is_mjpeg: bool = False
    width_px: int = 640
    readers: tuple[str, ...] = (OURS, OURS_FASTER, *PEERS)
    fps: float = FPS


KINDS: Final = (
    Kind("H.264 720p15", "h264-1280", 4),
    Kind("H.265 720p15", "hevc-1280", 4),
    Kind("MJPEG 720p15", "h264-1280", 8, is_mjpeg=True, width_px=1280, readers=(OURS, *PEERS)),
    Kind("H.264 720p15, keyframes only", "h264-1280", 8, decode="keyframes", readers=(OURS,), fps=0.5),
)


@dataclass(frozen=True)
class CostBench:
    """What to measure: each kind of camera by each reader in turn, *rounds* times."""

    folder: Path
    seconds: float = 10.0
    clip_seconds: float = 10.0
    rounds: int = 3
    kinds: Sequence[Kind] = KINDS

    @property
    def readings(self) -> int:
        """How many times cameras are read in all."""
        return self.rounds * sum(len(kind.readers) for kind in self.kinds)


def measure_cost(bench: CostBench, advance: Advance) -> list[dict[str, Any]]:
    """Return a row for each reading: CPU per camera, pictures and their size."""
    clips = [write_camera_clip(bench.folder, codec, _SIZE_WH, seconds=bench.clip_seconds) for codec in CODECS]
    rows = []
    with simulated_cameras(clips, "--mjpeg-port", "0") as addresses:
        for _ in range(bench.rounds):
            for kind in bench.kinds:
                url = addresses[kind.clip]["mjpeg" if kind.is_mjpeg else "rtsp"]
                for reader in kind.readers:
                    advance(f"{kind.name}: {reader}")
                    rows.append(_row(kind, reader, _read(reader, kind, url, bench.seconds)))
    return rows


def summarise_cost(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return cameras per core and ratios; medians over rounds, ratios within each round."""
    table, summary = [], {}
    for kind in {row["kind"]: None for row in rows}:
        for reader in {row["reader"]: None for row in rows if row["kind"] == kind}:
            theirs = [row for row in rows if row["kind"] == kind and row["reader"] == reader]
            per_picture = _ratios(rows, kind, OURS, reader)
            cost = median(row["cpu_percent_per_camera"] for row in theirs)
            table.append(
                {
                    "camera": kind,
                    "reader": reader,
                    "cpu_percent_per_camera": round(cost, 2),
                    "cameras_per_core": round(100 / cost, 1),
                    "pictures_per_second": median(row["pictures_per_second"] for row in theirs),
                    "kb_per_picture": median(row["kb_per_picture"] for row in theirs),
                    "cpu_ratio": round(median(per_picture), 2),
                    "cpu_ratio_spread": f"{min(per_picture):.2f} to {max(per_picture):.2f}",
                }
            )
    by = {(row["camera"], row["reader"]): row for row in table}
    for key, kind in zip(("h264_720p15", "h265_720p15", "mjpeg", "keyframes"), KINDS, strict=True):
        if (kind.name, OURS) in by:
            summary[f"cameras_per_core_{key}"] = by[kind.name, OURS]["cameras_per_core"]
    first = KINDS[0].name
    for key, peer in (("opencv", OPENCV), ("ffmpeg", FFMPEG)):
        if (first, peer) in by:
            summary[f"cpu_ratio_to_{key}"] = by[first, peer]["cpu_ratio"]
            faster = _ratios(rows, first, OURS_FASTER, peer)
            summary[f"cpu_ratio_to_{key}_without_loop_filter"] = round(median(faster), 2)
    return {
        **summary,
        "readers": table,
        "ffmpeg": f"imageio-ffmpeg {locked_version('ffmpeg', 'imageio-ffmpeg')}",
    }


def _ratios(rows: Sequence[dict[str, Any]], kind: str, ours: str, theirs: str) -> list[float]:
    """Return their processor time per picture over ours, within each round."""
    costs = [
        [row["cpu_ms_per_picture"] for row in rows if row["kind"] == kind and row["reader"] == reader]
        for reader in (theirs, ours)
    ]
    return [their / our for their, our in zip(*costs, strict=True)]


def _read(reader: str, kind: Kind, url: str, seconds: float) -> PicturesRead:
    cameras = [
        Camera(
            camera_id=f"camera-{number}",
            name="",
            url=url,
            partition=0,
            sampled_fps=kind.fps,
            frame_width_px=kind.width_px,
            decode=kind.decode,
            loop_filter="off" if reader == OURS_FASTER else "on",
        )
        for number in range(kind.cameras)
    ]
    ours = Path(sys.executable)
    command: dict[str, list[Path | str]] = {
        OURS: [ours, "-m", _READ_OURS],
        OURS_FASTER: [ours, "-m", _READ_OURS],
        OPENCV: [ours, "-m", "mien.bench.contenders.read_opencv"],
        FFMPEG: [peer_python("ffmpeg"), "-m", _READ_FFMPEG],
        FFMPEG_JPEG: [peer_python("ffmpeg"), "-m", _READ_FFMPEG, "--jpeg"],
    }
    environment = {"MIEN_CAMERAS_NETWORKS": "loopback", "MIEN_LOG_LEVEL": "warning"}
    with LineProcess(command[reader], PicturesRead, environment=environment) as process:
        return process.ask(Reading(cameras=cameras, seconds=seconds))


def _row(kind: Kind, reader: str, read: PicturesRead) -> dict[str, Any]:
    return {
        "kind": kind.name,
        "reader": reader,
        "cameras": kind.cameras,
        "cpu_percent_per_camera": 100 * read.cpu_seconds / read.seconds / kind.cameras,
        "cpu_ms_per_picture": 1000 * read.cpu_seconds / max(read.pictures, 1),
        "pictures_per_second": round(read.pictures / read.seconds / kind.cameras, 2),
        "kb_per_picture": round(read.jpeg_bytes / max(read.pictures, 1) / 1000, 1),
    }
