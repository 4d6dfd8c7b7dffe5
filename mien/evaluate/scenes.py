"""Scenes of people who come, go, pass and stop, with the truth of who is where in every picture.

Positions are in pixels of a picture of 640x360; a *tick* is a thirtieth of a second, so that 2, 5, 10 and 15
pictures a second all fall on ticks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SIZE_WH: Final = (640, 360)
TICKS_PER_SECOND: Final = 30
SEEN_FROM, BARELY_SEEN_FROM = 0.6, 0.25
"""A face counts from the first share that is uncovered; between the two it neither counts nor is wrong."""


@dataclass(frozen=True)
class Step:
    """Where a person is at a moment; between two steps they move evenly.

    Attributes:
        face_px: Height of the face: how near they are. Nearer people cover those behind.
        turn: 0 looks at the camera, 1 shows the back of the head.
    """

    seconds: float
    x: float
    y: float = 170
    face_px: float = 75
    turn: float = 0.0


@dataclass(frozen=True)
class Post:
    """Something that everybody passes behind."""

    left: float
    right: float


@dataclass(frozen=True)
class Scene:
    """People on their ways.

    Attributes:
        walks: The way of each person, by number; they are there from its first step to its last.
        gaps: Times (from, to) in which no picture arrives.
    """

    name: str
    seconds: float
    walks: list[list[Step]]
    posts: list[Post] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Truth:
    """Who is where in one picture; lists run in parallel.

    Attributes:
        boxes_xyxy: Shape (N, 4).
        visible: Share of each face that nothing covers, 0 to 1.
    """

    people: list[int]
    boxes_xyxy: NDArray[np.float32]
    visible: list[float]


def cross(rng: np.random.Generator, *, name: str, apart_px: float) -> Scene:
    """Three pairs pass each other, one after another, at different speeds."""
    walks, start = [], 0.0
    for widths_a_second in (1.2, 2.5, 4.0):
        seconds = 560 / (56 * widths_a_second * rng.uniform(0.85, 1.15))
        y, size = rng.uniform(150, 190), rng.uniform(70, 85)
        walks.append([Step(start, 40, y, size), Step(start + seconds, 600, y, size)])
        walks.append(
            [
                Step(start, 600, y + apart_px, size * 0.96),
                Step(start + seconds, 40, y + apart_px, size * 0.96),
            ]
        )
        start += seconds + 0.3
    return Scene(name, start, walks)


def cross_behind(rng: np.random.Generator) -> Scene:
    """People pass each other at the same height: one is covered entirely."""
    return cross(rng, name="cross behind", apart_px=rng.uniform(-5, 5))


def cross_beside(rng: np.random.Generator) -> Scene:
    """People pass each other half a face apart: one is covered in part."""
    return cross(rng, name="cross beside", apart_px=rng.uniform(45, 60))


def meet_and_part(rng: np.random.Generator) -> Scene:
    """Two walk up to each other until one covers the other, stop, and go back whence they came."""
    walks = []
    for index, pause in enumerate((0.2, 0.8)):
        start, stop = 6.0 * index, 6.0 * index + 2.0 * rng.uniform(0.9, 1.1)
        y, size, middle = rng.uniform(150, 190), rng.uniform(70, 85), rng.uniform(290, 350)
        for home, side, nearer in ((80, -8, 1.0), (560, 8, 0.95)):
            there = middle + side
            walks.append(
                [
                    Step(start, home, y, size * nearer),
                    Step(stop, there, y, size * nearer),
                    Step(stop + pause, there, y, size * nearer),
                    Step(stop + pause + 2.2, home, y, size * nearer),
                ]
            )
    return Scene("meet and part", 12.0, walks)


def come_and_go(rng: np.random.Generator) -> Scene:
    """People come in at either side, one after another, and leave at the other."""
    walks, start = [], 0.0
    for index in range(5):
        seconds = rng.uniform(2.2, 3.5)
        ways = (-60, 700) if index % 2 else (700, -60)
        y, size = rng.uniform(130, 210), rng.uniform(55, 95)
        walks.append([Step(start, ways[0], y, size), Step(start + seconds, ways[1], y, size)])
        start += seconds * rng.uniform(0.7, 0.9)
    return Scene("come and go", start + 1, walks)


def stop_and_turn_back(rng: np.random.Generator) -> Scene:
    """Two walk, stop abruptly, look away for a moment, and go back."""
    walks = []
    for y, home in ((110, 60), (250, 580)):
        stop, away = rng.uniform(1.2, 1.8), rng.uniform(0.3, 0.7)
        there = home + (300 if home < 320 else -300)
        looks = [Step(stop, there, y), Step(stop + 1.2, there, y), Step(stop + 1.4, there, y, turn=1)]
        back = stop + 1.4 + away
        walks.append(
            [
                Step(0, home, y),
                *looks,
                Step(back, there, y, turn=1),
                Step(back + 0.2, there, y),
                Step(8, home, y),
            ]
        )
    return Scene("stop and turn back", 8.0, walks)


def near_and_far(rng: np.random.Generator) -> Scene:
    """Two come nearer and go away again, swaying and turning their heads."""
    walks = []
    for x in (170, 470):
        times = np.linspace(0, 9, 10)
        sizes = 85 + 40 * np.sin(times * rng.uniform(0.8, 1.2) + x)
        turns = rng.uniform(0, 0.55, len(times))
        walks.append(
            [
                Step(
                    float(at), x + rng.uniform(-25, 25), 175 + rng.uniform(-15, 15), float(size), float(turn)
                )
                for at, size, turn in zip(times, sizes, turns, strict=True)
            ]
        )
    return Scene("near and far", 9.0, walks)


def behind_posts(rng: np.random.Generator) -> Scene:
    """Two walk behind posts: each face is gone for up to a second, several times."""
    walks = []
    for y, ways, speed in ((105, (20, 620), rng.uniform(80, 110)), (255, (620, 20), rng.uniform(150, 190))):
        walks.append([Step(0, ways[0], y, 65), Step(600 / speed, ways[1], y, 65)])
    return Scene("behind posts", 7.0, walks, posts=[Post(170, 235), Post(400, 465)])


def change_behind_a_post(rng: np.random.Generator) -> Scene:
    """One goes behind a post, another comes out on the same side or where the first was expected."""
    middle, y = 320, rng.uniform(150, 190)
    walks = []
    for index, (away_from, away_to) in enumerate(((60, 60), (60, 580), (580, 580))):
        start = 4.5 * index
        wait = rng.uniform(0.1, 0.5)
        walks.append([Step(start, away_from, y), Step(start + 1.6, middle, y)])
        walks.append([Step(start + 1.6 + wait, middle, y), Step(start + 3.2 + wait, away_to, y)])
    return Scene("change behind a post", 13.5, walks, posts=[Post(260, 380)])


def run(rng: np.random.Generator) -> Scene:
    """People run: five to eight of their faces a second."""
    walks, start = [], 0.0
    for index in range(6):
        size, speed = rng.uniform(60, 80), rng.uniform(5, 8)
        seconds = 600 / (0.75 * size * speed)
        ways, y = ((20, 620) if index % 2 else (620, 20)), rng.uniform(130, 210)
        walks.append([Step(start, ways[0], y, size), Step(start + seconds, ways[1], y, size)])
        start += seconds + 0.4
    return Scene("run", start, walks)


def crowd(rng: np.random.Generator) -> Scene:
    """Eight people mill about."""
    walks = []
    for _ in range(8):
        at, x, y, size = 0.0, rng.uniform(40, 600), rng.uniform(90, 270), rng.uniform(50, 70)
        steps = [Step(0, x, y, size)]
        while at < 10:
            pause, walk = rng.uniform(0, 1.0), rng.uniform(0.8, 2.5)
            steps.append(Step(at + pause, x, y, size))
            x = float(np.clip(x + rng.uniform(-160, 160), 40, 600))
            y = float(np.clip(y + rng.uniform(-60, 60), 90, 270))
            at += pause + walk
            steps.append(Step(at, x, y, size))
        walks.append(steps)
    return Scene("crowd", 10.0, walks)


def missing_pictures(rng: np.random.Generator) -> Scene:
    """The stream stalls three times while two walk on; in the last stall they swap seats."""
    stalls = [(1.5, 1.5 + rng.uniform(0.5, 0.9)), (4.0, 4.0 + rng.uniform(0.7, 1.1)), (7.0, 8.1)]
    walks = [
        [
            Step(0, 100, 120),
            Step(3, 260, 120),
            Step(6, 180, 120),
            Step(7.2, 180, 170),
            Step(7.9, 460, 170),
            Step(10, 460, 170),
        ],
        [
            Step(0, 540, 220),
            Step(3, 380, 220),
            Step(6, 460, 220),
            Step(7.2, 460, 170),
            Step(7.9, 180, 170),
            Step(10, 180, 170),
        ],
    ]
    return Scene("missing pictures", 10.0, walks, gaps=stalls)


SCENES: Final[tuple[Callable[[np.random.Generator], Scene], ...]] = (
    come_and_go,
    cross_behind,
    cross_beside,
    meet_and_part,
    stop_and_turn_back,
    near_and_far,
    behind_posts,
    change_behind_a_post,
    run,
    crowd,
    missing_pictures,
)
