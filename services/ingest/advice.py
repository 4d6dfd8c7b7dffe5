"""What people can do about a camera that can't be opened, or that could serve better."""

from typing import Final

from mien.contracts.camera_requests import StreamReport

_BY_FAILURE: Final = {
    "refused": "Check the port: RTSP is usually 554. Some cameras have RTSP turned off until it is turned on "
    "in their network settings.",
    "no_route": "Check that this machine and the camera are in networks that reach each other, and that the "
    "address is right.",
    "no_answer": "Check the address, that the camera has power, and that no firewall lies between.",
    "unknown_host": "Check the spelling, or use the camera's IP address.",
    "reset": "The port may be right and the protocol wrong: try rtsp:// on 554, or http:// on 80.",
    "auth_failed": "Check user name and password in the camera's own web page. After several wrong "
    "attempts many cameras lock the account for a while.",
    "not_found": "Check the path behind the host: it differs by maker. Searching for the camera, or asking "
    "it by its address alone, finds the right one over ONVIF.",
    "unsupported": "Set the camera to H.264 or MJPEG, or use another of its streams.",
    "no_video": "This address may be the camera's web page. Use the address of its stream.",
    "server_error": "The camera may have as many viewers as it allows. Close others, or restart the camera.",
    "silent": "Another of its streams may work. A camera that was just started needs a minute.",
    "ended": "The camera may have as many viewers as it allows. Close others, or restart the camera.",
    "stalled": "The connection may be too weak for this stream: try a smaller one.",
    "untrusted": "Have a look at the certificate, and accept it when it is the camera's own.",
    "forbidden": "An administrator decides in which networks cameras may be (MIEN_CAMERAS_NETWORKS).",
    "no_address": "The address of a stream begins with rtsp:// or http://, and names the camera.",
    "no_onvif": "Turn ONVIF on in the camera's settings (some makers want a user of its own for it), or "
    "enter the address of its stream.",
    "no_streams": "Enter the address of a stream by hand; the camera's manual names it.",
}

_LONG_KEYFRAME_SECONDS: Final = 4.0
_LOWEST_FPS: Final = 4.5
_HIGHEST_FPS: Final = 20.5
_NARROW_PX: Final = 600
_WIDE_PX: Final = 1920
_CLOCK_SECONDS: Final = 5.0


def advice_for(reason: str) -> str:
    """Return what to do about a failure, by its key; empty where nothing is known to help."""
    return _BY_FAILURE.get(reason, "")


def warnings_for(report: StreamReport) -> list[str]:
    """Return what could be better about a stream that works, a sentence each."""
    width, height = report.size_wh
    warnings = []
    if width > _WIDE_PX:
        warnings.append(
            f"{width} × {height} is much to decode: use the camera's smaller stream, and this one as its "
            "main stream."
        )
    elif width < _NARROW_PX:
        warnings.append(f"{width} × {height} shows faces near the camera only: use a larger stream.")
    interval = report.keyframe_interval_seconds
    if interval is not None and interval > _LONG_KEYFRAME_SECONDS:
        warnings.append(
            f"A keyframe comes only every {interval:.0f} s, so that it takes as long until the first picture "
            "is there: set the interval to 1 to 2 s."
        )
    fps = report.measured_fps
    if fps is not None and fps < _LOWEST_FPS:
        warnings.append(f"{fps:.1f} pictures per second are few for people who walk: set it to 5 to 15.")
    elif fps is not None and fps > _HIGHEST_FPS:
        warnings.append(f"{fps:.0f} pictures per second are more than are looked at: 10 to 15 save work.")
    skew = report.clock_skew_seconds
    if skew is not None and abs(skew) > _CLOCK_SECONDS:
        way = "ahead" if skew > 0 else "behind"
        warnings.append(
            f"The camera's clock is {_duration(abs(skew))} {way}: let it set its clock by NTP. Mien does not "
            "rely on it."
        )
    return warnings


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
