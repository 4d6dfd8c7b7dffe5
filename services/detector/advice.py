"""What to do about the worst obstacle of a camera, in words for whoever can move it. No I/O."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from mien.contracts.camera_status import Obstacle, PassedFace
from mien.contracts.cameras import Camera
from mien.vision.quality import NEEDED

_WORDS: Final[Mapping[Obstacle, str]] = {
    "small": "{who} are too small: {face_px:.0f} px, where {face_px_needed:.0f} are enough. {enlarge}",
    "cut_off": (
        "{who} are hardly larger than the smallest that is looked for, {min_face_px} px, so others are "
        "missed. Lower the smallest face to 40."
    ),
    "smeared": "{who} are blurred by movement. Shorten the exposure, and add light to make up for it.",
    "blurred": (
        "{who} are blurred: sharpness {sharpness:.0f}, where {sharpness_needed:.0f} is enough. Focus and "
        "clean the lens, or raise the stream's bit rate."
    ),
    "turned": "{who} are never seen from the front. Move the camera to where people come towards it.",
    "from_above": "{who} are seen from above. Lower the camera, or aim it where people are farther away.",
    "from_below": "{who} are seen from below. Raise the camera, or aim it where people are farther away.",
    "dark": (
        "{who} are too dark: brightness {brightness:.0f} of 255, where {least_brightness:.0f} is enough. Add "
        "light, or open the exposure."
    ),
    "bright": (
        "{who} are too bright: brightness {brightness:.0f} of 255, where {most_brightness:.0f} is the most. "
        "Shorten the exposure, or turn the camera away from the light."
    ),
    "doubtful": (
        "{who} are doubtful: covered, cut by the picture's edge, or no faces at all. Ignore the parts of the "
        "picture that show none."
    ),
}
_NO_SINGLE_REASON: Final = (
    "Hardly a face is large, sharp and frontal at once: {face_px:.0f} px at best. {enlarge}"
)


def advise(
    obstacle: Obstacle | None,
    camera: Camera,
    faces: Sequence[PassedFace],
    share: float,
    *,
    delivered_width_px: int | None,
) -> str:
    """Return what is wrong with which share of the faces, and what helps.

    Args:
        obstacle: What the most faces meet; None when their views are poor without any single reason.
        camera: As it is set now.
        faces: Those that meet it, at least one.
        share: Of all faces.
        delivered_width_px: Width of the camera's own picture, where it is known.
    """
    words = _NO_SINGLE_REASON if obstacle is None else _WORDS[obstacle]
    return words.format(
        who="All faces" if share > 0.995 else f"{100 * share:.0f} % of the faces",
        face_px=median(face.face_px for face in faces),
        face_px_needed=NEEDED["face_px"].at_least,
        min_face_px=camera.min_face_px,
        sharpness=median(face.sharpness for face in faces),
        sharpness_needed=NEEDED["sharpness"].at_least,
        brightness=median(face.brightness for face in faces),
        least_brightness=NEEDED["brightness"].at_least,
        most_brightness=NEEDED["brightness"].at_most,
        enlarge=_how_to_enlarge(camera, delivered_width_px),
    )


def _how_to_enlarge(camera: Camera, delivered_width_px: int | None) -> str:
    """Return the cheapest way to larger faces that is left."""
    if camera.main_stream_url is None:
        if delivered_width_px is not None and delivered_width_px > camera.frame_width_px:
            wider = min(delivered_width_px, 3840)
            return f"Raise the picture width from {camera.frame_width_px} to {wider}, which the camera sends."
        if camera.url.startswith("rtsp"):
            return "Give the address of the camera's main stream, zoom in, or move the camera closer."
    return "Zoom in, or move the camera closer."
