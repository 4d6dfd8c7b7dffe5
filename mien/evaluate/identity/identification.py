"""Whose face is it? One of the enrolled, or nobody we know.

A track's shots are added up by their quality and compared with every template; the nearest decides, as in the
recognizer. Photographs of different days stand for shots: harder than those of one walk past a camera.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.identity.data import Enrolled
from mien.evaluate.identity.embeddings import Vectors
from mien.evaluate.identity.verification import Flags, Floats


@dataclass(frozen=True)
class Answers:
    """What a gallery says of faces; arrays run in parallel, shape (N,).

    Attributes:
        similarities: To the nearest template.
        leads: How much nearer it is than the nearest of another person.
        right: Whether the nearest person is who it is; never for a stranger.
    """

    similarities: Floats
    leads: Floats
    right: Flags

    def named(self, *, accept_similarity: float, margin: float) -> Flags:
        """Return which faces are given a name."""
        return (self.similarities >= accept_similarity) & (self.leads >= margin)


class Templates:
    """The enrolled pictures of some people; those without a face can't be enrolled."""

    def __init__(self, people: Mapping[str, Enrolled], vectors: Vectors) -> None:
        enrolled = [(name, path) for name, one in people.items() for path in one.enrol if path in vectors]
        self._names = np.array([name for name, _ in enrolled])
        self._templates = vectors.of(path for _, path in enrolled)
        self._vectors = vectors
        self._people = people

    def ask_known(self, *, shots: int = 1) -> Answers:
        """Return the answers for the other pictures of the enrolled people, *shots* of a person at a time."""
        tracks = [
            (name, track) for name, one in self._people.items() for track in tracks_of(one.probe, shots=shots)
        ]
        return self._ask([track for _, track in tracks], np.array([name for name, _ in tracks]))

    def ask_strangers(self, strangers: Mapping[str, Sequence[Path]], *, shots: int = 1) -> Answers:
        """Return the answers for people who are not enrolled, *shots* of a person at a time."""
        tracks = [track for paths in strangers.values() for track in tracks_of(paths, shots=shots)]
        return self._ask(tracks, np.array([""] * len(tracks)))

    def _ask(self, tracks: Sequence[Sequence[Path]], names: NDArray[np.str_]) -> Answers:
        similarities = (self._vectors.of_tracks(tracks) @ self._templates.T).astype(np.float64)
        nearest = similarities.argmax(axis=1)
        best = similarities[np.arange(len(tracks)), nearest]
        answers = self._names[nearest]
        others = np.where(self._names[None, :] == answers[:, None], -1.0, similarities)
        return Answers(best, best - others.max(axis=1), answers == names)


def tracks_of(paths: Sequence[Path], *, shots: int) -> list[Sequence[Path]]:
    """Split a person's pictures into groups of *shots*; the last may have fewer."""
    return [paths[start : start + shots] for start in range(0, len(paths), shots)]


def closed_set_accuracies(
    people: Mapping[str, Enrolled], vectors: Vectors, *, size: int, draws: int, seed: int, shots: int = 1
) -> list[float]:
    """Return, for each draw of *size* people, the share of their other pictures that get their name.

    Nobody is a stranger here, so there is no threshold.
    """
    generator, names = np.random.default_rng(seed), sorted(people)
    accuracies = []
    for _ in range(draws):
        drawn = {str(name): people[str(name)] for name in generator.choice(names, size, replace=False)}
        accuracies.append(float(Templates(drawn, vectors).ask_known(shots=shots).right.mean()))
    return accuracies


def threshold_at(strangers: Answers, *, margin: float, false_accept_rate: float) -> float:
    """Return the lowest similarity by which at most this share of strangers is given a name."""
    close = np.sort(strangers.similarities[strangers.leads >= margin])[::-1]
    allowed = int(false_accept_rate * len(strangers.similarities) + 1e-9)
    # Just above the first stranger who may not be named.
    return float(np.nextafter(close[allowed], 2)) if allowed < len(close) else -1.0
