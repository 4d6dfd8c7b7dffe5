"""Who may turn reading of emotion and tiredness on, and how: the rules, and what happens on a change."""

import time

import msgspec
from redis.asyncio import Redis

from mien.contracts.cameras import Camera
from mien.contracts.readings import PROHIBITED_CONTEXTS
from mien.runtime.readings import forget_emotion, forget_tiredness
from services.gateway.pipeline import InvalidInputError

_EMOTION_FIELDS = (
    "emotion_policy", "emotion_purpose", "context", "emotion_exemption", "emotion_exemption_note",
)  # fmt: skip
_TIREDNESS_FIELDS = ("tiredness_policy", "tiredness_purpose")


def check_readings(camera: Camera) -> None:
    """Refuse to read emotion or tiredness without what must be known about it.

    Raises:
        InvalidInputError: No purpose is given, nobody said where the camera looks, or it looks where the
            law forbids it and no reason was recorded.
    """
    if camera.tiredness_policy != "off" and not camera.tiredness_purpose.strip():
        raise InvalidInputError("tiredness can be turned on only with a purpose (tiredness_purpose)")
    if camera.emotion_policy == "off":
        return
    if not camera.emotion_purpose.strip():
        raise InvalidInputError("emotion can be turned on only with a purpose (emotion_purpose)")
    if camera.context == "unspecified":
        raise InvalidInputError(
            "emotion can be turned on only when it is known where the camera looks (context): public, "
            "private, research, workplace or education"
        )
    if camera.context in PROHIBITED_CONTEXTS and (
        camera.emotion_exemption == "none" or not camera.emotion_exemption_note.strip()
    ):
        raise InvalidInputError(
            "at work and in education the EU forbids reading emotions, except for medical or safety reasons: "
            "give the reason (emotion_exemption) and say in words why, and who decided it "
            "(emotion_exemption_note)"
        )


def signed(before: Camera | None, after: Camera, *, by: str) -> Camera:
    """Return a camera with who changed what is read on it, and when, where anything of that has changed."""
    signature: dict[str, str | int] = {}
    for kind, fields in (("emotion", _EMOTION_FIELDS), ("tiredness", _TIREDNESS_FIELDS)):
        is_on = getattr(after, f"{kind}_policy") != "off"
        was_on = before is not None and getattr(before, f"{kind}_policy") != "off"
        changed = before is None or any(getattr(before, name) != getattr(after, name) for name in fields)
        if changed and (is_on or was_on):
            signature |= {f"{kind}_set_by": by, f"{kind}_set_at_ns": time.time_ns()}
    return msgspec.structs.replace(after, **signature)


def changes_of(before: Camera | None, after: Camera) -> list[tuple[str, str]]:
    """Return what the audit tells of a change, each as an action and what was said about it."""
    told = []
    for kind in ("emotion", "tiredness"):
        if getattr(after, f"{kind}_set_at_ns") == (getattr(before, f"{kind}_set_at_ns") if before else 0):
            continue
        words = [getattr(after, f"{kind}_purpose")]
        if kind == "emotion":
            exemption = after.emotion_exemption
            words.append(after.context)
            words += [f"{exemption}: {after.emotion_exemption_note}"] if exemption != "none" else []
        told.append((f"{kind}.{getattr(after, f'{kind}_policy')}", "; ".join(filter(None, words))))
    return told


async def forget_narrowed(redis: Redis, before: Camera, after: Camera | None) -> None:
    """Delete what Redis holds of what was read under a policy that holds no longer.

    The emotion worker does the same, so that nothing it was about to write is left behind.

    Args:
        after: None when the camera was removed.
    """
    emotion = after.emotion_policy if after is not None and after.enabled else "off"
    tiredness = after.tiredness_policy if after is not None and after.enabled else "off"
    if before.emotion_policy not in ("off", emotion):
        await forget_emotion(redis, before.camera_id, of_tracks_only=emotion != "off")
    if before.tiredness_policy not in ("off", tiredness):
        await forget_tiredness(redis, before.camera_id)
