"""Cameras in the configurations of Frigate and go2rtc.

Formats: https://docs.frigate.video/configuration/cameras and https://github.com/AlexxIT/go2rtc#configuration.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from services.gateway.addresses import CAMERA_SCHEMES
from services.gateway.camera_files.entry import FileEntry
from services.gateway.camera_files.variables import Variables

_RESTREAM_HOSTS: Final = ("127.0.0.1", "localhost", "::1", "go2rtc", "frigate")
_RESTREAM_PORT: Final = 8554
_FOLLOWED: Final = 4


def read_frigate(
    document: Mapping[str, Any], lines: Mapping[str, int], variables: Variables
) -> list[FileEntry]:
    """Return the cameras of a Frigate configuration.

    Frigate often reads a camera through its own go2rtc; then the address behind that is taken, for the
    restream is gone when Frigate is.
    """
    go2rtc = document.get("go2rtc")
    streams = _mapping(go2rtc.get("streams")) if isinstance(go2rtc, Mapping) else {}
    cameras = _mapping(document.get("cameras"))
    return [
        _frigate_camera(name, _place(name, lines), settings, streams, variables)
        for name, settings in cameras.items()
    ]


def read_go2rtc(
    streams: Mapping[str, Any], lines: Mapping[str, int], variables: Variables
) -> list[FileEntry]:
    """Return the cameras of a go2rtc configuration, one for each of its streams."""
    entries = []
    for name, sources in streams.items():
        url, problem = _first_source(sources, streams, variables)
        entries.append(_entry(name, _place(name, lines), url, problem))
    return entries


def _frigate_camera(
    name: str, place: str, settings: Any, streams: Mapping[str, Any], variables: Variables
) -> FileEntry:
    ffmpeg = settings.get("ffmpeg") if isinstance(settings, Mapping) else None
    inputs = ffmpeg.get("inputs") if isinstance(ffmpeg, Mapping) else None
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        return FileEntry(place, _title(name), problem="it has no ffmpeg.inputs")
    paths: dict[str, str] = {}
    for one in inputs:
        if not isinstance(one, Mapping) or not isinstance(one.get("path"), str):
            continue
        roles = one.get("roles", [])
        for role in [roles] if isinstance(roles, str) else roles if isinstance(roles, Sequence) else []:
            paths.setdefault(str(role), one["path"])
        paths.setdefault("", one["path"])
    path = paths.get("detect") or paths.get("")
    if path is None:
        return FileEntry(place, _title(name), problem="none of its inputs has a path")
    url, problem = _resolve(path, streams, variables)
    more: dict[str, Any] = {}
    if (record := paths.get("record")) is not None and record != path:
        main_url, _ = _resolve(record, streams, variables)
        if main_url is not None and main_url != url:
            more["main_stream_url"] = main_url
    if settings.get("enabled") is False:
        more["enabled"] = False
    detect = settings.get("detect")
    fps = detect.get("fps") if isinstance(detect, Mapping) else None
    if isinstance(fps, int | float) and 0 < fps <= 30:
        more["sampled_fps"] = float(fps)
    title = settings.get("friendly_name")
    return _entry(name, place, url, problem, title=title if isinstance(title, str) else None, **more)


def _resolve(path: str, streams: Mapping[str, Any], variables: Variables) -> tuple[str | None, str | None]:
    """Return the address behind a path, or why there is none."""
    if (inner := _restreamed(path, streams)) is not None:
        return _first_source(streams[inner], streams, variables)
    return _source(path, streams, variables, depth=0)


def _restreamed(path: str, streams: Mapping[str, Any]) -> str | None:
    try:
        parts = urlsplit(path)
        port = parts.port
    except ValueError:
        return None
    name = parts.path.strip("/")
    is_ours = parts.scheme == "rtsp" and parts.hostname in _RESTREAM_HOSTS and port == _RESTREAM_PORT
    return name if is_ours and name in streams else None


def _first_source(
    sources: Any, streams: Mapping[str, Any], variables: Variables, depth: int = 0
) -> tuple[str | None, str | None]:
    """Return the first of a stream's sources that is an address, or why none is."""
    listed = [sources] if isinstance(sources, str) else sources if isinstance(sources, Sequence) else []
    problem: str | None = "it has no source"
    for source in listed:
        if not isinstance(source, str):
            continue
        url, problem = _source(source, streams, variables, depth=depth)
        if url is not None:
            return url, None
    return None, problem


def _source(
    source: str, streams: Mapping[str, Any], variables: Variables, *, depth: int
) -> tuple[str | None, str | None]:
    plain = source.partition("#")[0].strip()  # what follows is for ffmpeg
    plain = plain.removeprefix("ffmpeg:")
    if "://" not in plain and plain in streams and depth < _FOLLOWED:
        return _first_source(streams[plain], streams, variables, depth + 1)
    scheme = plain.partition(":")[0]
    if scheme == "onvif":
        return None, "it is found over ONVIF: search for it instead"
    if scheme not in CAMERA_SCHEMES or "://" not in plain:
        return None, f"Mien does not read {scheme[:20]}: sources"
    url, missing = variables.fill(plain)
    if missing:
        return None, f"the value of {' and '.join(missing)} is needed"
    return url, None


def _entry(
    name: str, place: str, url: str | None, problem: str | None, *, title: str | None = None, **more: Any
) -> FileEntry:
    shown = title or _title(name)
    if url is None:
        return FileEntry(place, shown, problem=problem)
    return FileEntry(place, shown, {"name": shown, "url": url, **more})


def _title(name: str) -> str:
    words = str(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:200]


def _place(name: str, lines: Mapping[str, int]) -> str:
    return f"line {lines[name]}" if name in lines else str(name)[:100]


def _mapping(value: Any) -> dict[str, Any]:
    return {str(key): inner for key, inner in value.items()} if isinstance(value, Mapping) else {}
