"""Cameras in words and figures, for the command line."""

from collections import Counter
from typing import Any


def fitness_words(report: dict[str, Any]) -> str:
    """Return how well a camera is placed for faces, with the figures it is judged by."""
    fitness, needed = report["fitness"], report["needed"]
    if fitness["fitness"] == "unknown":
        return f"unknown: {fitness['tracks']} of the {report['tracks_needed']} faces needed have passed"
    return (
        f"{fitness['fitness']}: {100 * fitness['usable_share']:.0f} % of the last {fitness['tracks']} faces "
        "gave a view that can be recognised\n"
        + (f"{fitness['advice']}\n" if fitness["advice"] else "")
        + f"typical face: {fitness['median_face_px']:.0f} px (needs {needed['face_px']['at_least']:.0f}), "
        f"sharpness {fitness['median_sharpness']:.0f} (needs {needed['sharpness']['at_least']:.0f}), "
        f"brightness {fitness['median_brightness']:.0f} (needs {needed['brightness']['at_least']:.0f} to "
        f"{needed['brightness']['at_most']:.0f})"
    )


def work_words(work: dict[str, Any]) -> str:
    """Return what the last hour's pictures came to."""
    if not work["captured"]:
        return "no picture came within the last hour"
    return (
        f"last hour: {work['captured']} pictures, {work['looked_at']} looked at, {work['faces']} faces in "
        f"them, {work['identity_shots']} sent for their names, {work['emotion_shots']} for their emotions"
    )


def camera_details(camera: dict[str, Any]) -> str:
    """Return what is set up beyond one stream, in a few words."""
    details = []
    if camera["main_stream_url"]:
        main = (camera.get("status") or {}).get("main_stream") or {"state": "unassigned", "reason": ""}
        details.append(" ".join(filter(None, ("main stream", main["state"], main["reason"]))))
    if zones := camera["ignored_zones"]:
        counts = Counter(zone["ignores"] for zone in zones)
        ignored = " and ".join(
            f"{kind} in {count} zone{'s' if count > 1 else ''}" for kind, count in counts.items()
        )
        details.append(f"ignores {ignored}")
    if (status := camera.get("status") or {}).get("certificate"):
        details.append(f"shows the certificate {status['certificate']['sha256']}")
    return "; ".join(details)
