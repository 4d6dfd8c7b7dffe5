"""The strong network: two networks that packages carry, and a small head of our own on what they see."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from model_repo import layers
from model_repo.emotion_classifier.features import FEATURES, add_features, add_other
from model_repo.emotion_classifier.output import finish
from model_repo.layers import Weights
from model_repo.saved_model import Graph, Model
from model_repo.sources import PackageFiles

SHIPPED_HEAD: Final = Path(__file__).with_name("head.npz")


@dataclass(frozen=True)
class Head:
    """``relu(features @ hidden + hidden_bias) @ output + output_bias`` over a temperature; all float32.

    Attributes:
        hidden: (F, H), with *hidden_bias* (H,).
        output: (H, C), with *output_bias* (C,).
        labels: Of the C columns.
    """

    hidden: Weights
    hidden_bias: Weights
    output: Weights
    output_bias: Weights
    labels: tuple[str, ...] = ()
    temperature: float = 1.0

    def save(self, path: Path) -> None:
        """Write the head to a file; the large matrix as float16, which changes no figure."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                hidden=self.hidden.astype(np.float16),
                hidden_bias=self.hidden_bias,
                output=self.output,
                output_bias=self.output_bias,
                labels=np.array(self.labels),
                temperature=np.float32(self.temperature),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                arrays["hidden"].astype(np.float32),
                arrays["hidden_bias"],
                arrays["output"],
                arrays["output_bias"],
                tuple(str(label) for label in arrays["labels"]),
                float(arrays["temperature"]),
            )


def build_strong(head: Head, face_api: PackageFiles, human: PackageFiles) -> Model:
    """Return the model of a head, from the files of `@vladmandic/face-api` and `@vladmandic/human`."""
    graph = Graph()
    add_features(graph, face_api, human)
    hidden = layers.dense(graph, "head/hidden/product", FEATURES, head.hidden)
    hidden = layers.relu(
        graph, "head/hidden/relu", layers.bias_add(graph, "head/hidden", hidden, head.hidden_bias)
    )
    logits = layers.dense(graph, "head/output/product", hidden, head.output)
    logits = layers.bias_add(graph, "head/output", logits, head.output_bias)
    return finish(graph, logits, head.labels, temperature=head.temperature, other=add_other(graph, face_api))


def build_shipped(face_api: PackageFiles, human: PackageFiles) -> Model:
    """Return the model with the head that the repository carries."""
    return build_strong(Head.load(SHIPPED_HEAD), face_api, human)
