"""What a photo is worth, at a glance and in words: its badge."""

from collections.abc import Mapping
from typing import Final

from mien.vision.quality import NEEDED
from services.gateway.photo_schemas import Badge, BadgeLevel, Finding
from services.gateway.tables import Photo

_MIN_EYE_DISTANCE_PX: Final = 27.0
"""A face of 80 pixels (:data:`mien.vision.quality.NEEDED`): LFW's boxes are 2.95 times the eyes' distance."""
_FACES_PER_EYE_DISTANCE: Final = 2.95


def badge_of(photo: Photo, names: Mapping[str, str], filenames: Mapping[str, str]) -> Badge | None:
    """Return a photo's badge; None while it is on its way, or not compared with the others yet.

    Args:
        names: Of people, by id.
        filenames: Of this person's photos, by id.
    """
    if photo.status == "pending" or (photo.status == "enrolled" and photo.likeness is None):
        return None
    if photo.status == "rejected":
        words = photo.explanation or "The photo can't be used."
        return Badge(
            level="bad", findings=[Finding(kind=photo.reason or "not_an_image", level="bad", words=words)]
        )
    findings = [*_of_likeness(photo, names, filenames), *_of_quality(photo.measures or {})]
    if photo.set_aside and photo.set_aside_reason in {None, "by_hand"}:
        findings.insert(0, Finding(kind="by_hand", level="fair", words="Set aside by hand."))
    levels: list[BadgeLevel] = [finding.level for finding in findings]
    return Badge(level="bad" if "bad" in levels else "fair" if levels else "good", findings=findings)


def _of_likeness(photo: Photo, names: Mapping[str, str], filenames: Mapping[str, str]) -> list[Finding]:
    own = names.get(photo.person_id, "this person")
    other = names.get(photo.other_person_id or "", "somebody who was deleted")
    to_own, to_other = _figure(photo.own_similarity), _figure(photo.other_similarity)
    level: BadgeLevel = "fair" if photo.use_anyway else "bad"
    match photo.likeness:
        case "stray":
            words = f"More like {other} ({to_other}) than like the other photos of {own} ({to_own})."
            return [Finding(kind="stray", level=level, words=words)]
        case "odd":
            words = f"Unlike the other photos of {own}: a likeness of {to_own}."
            return [Finding(kind="odd", level=level, words=words)]
        case "differs":
            words = (
                f"The two photos of {own} are unlike each other ({to_own}): one may show somebody else. "
                "A third photo decides."
            )
            return [Finding(kind="differs", level="fair", words=words)]
        case "lookalike":
            words = f"Could be taken for {other} ({to_other}). If they are one person, keep one of the two."
            return [Finding(kind="lookalike", level="fair", words=words)]
        case "duplicate":
            first = filenames.get(photo.duplicate_of or "", "another photo")
            words = f"The same picture as {first}: it adds nothing."
            return [Finding(kind="duplicate", level="fair", words=words)]
    return []


def _of_quality(measures: Mapping[str, float]) -> list[Finding]:
    found = []

    def note(kind: str, words: str) -> None:
        found.append(Finding(kind=kind, level="fair", words=words))

    size, sharpness = measures.get("size_px"), measures.get("sharpness")
    if size is not None and size < _MIN_EYE_DISTANCE_PX:
        face = round(size * _FACES_PER_EYE_DISTANCE)
        note("size", f"Small face: about {face} pixels, {NEEDED['face_px'].at_least:.0f} are better.")
    if sharpness is not None and not NEEDED["sharpness"].holds(sharpness):
        note(
            "sharpness", f"Blurred: sharpness {sharpness:.0f}, {NEEDED['sharpness'].at_least:.0f} is better."
        )
    elif "evenness" in measures and not NEEDED["evenness"].holds(measures["evenness"]):
        note("movement", f"Smeared by movement: evenness {measures['evenness']:.2f}.")
    if abs(measures.get("yaw", 0.0)) > (NEEDED["yaw"].at_most or 1.0):
        note("pose", f"Turned to the side ({abs(measures['yaw']):.2f} of 1).")
    elif not NEEDED["pitch"].holds(measures.get("pitch", 0.0)):
        way = "down" if measures["pitch"] > 0 else "up"
        note("pose", f"Looking {way} ({abs(measures['pitch']):.2f} of 1).")
    brightness = measures.get("brightness")
    if brightness is not None and not NEEDED["brightness"].holds(brightness):
        way = "Dark" if brightness < (NEEDED["brightness"].at_least or 0) else "Overexposed"
        note("light", f"{way}: brightness {brightness:.0f} of 255.")
    return found


def _figure(similarity: float | None) -> str:
    return "–" if similarity is None else f"{similarity:.2f}"
