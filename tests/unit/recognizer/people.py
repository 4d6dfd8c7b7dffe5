"""Two people whose faces are short vectors."""

import numpy as np
from numpy.typing import NDArray

from mien.contracts.shared_state import Template

DIMENSIONS = 8


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def template(person_id: str, vector: NDArray[np.float32]) -> Template:
    return Template(
        template_id=f"t-{person_id}",
        person_id=person_id,
        photo_id="ph",
        model="face_embedder",
        model_version=1,
        vector=vector.tobytes(),
    )


ADA, BOB = unit(1.0), unit(0.0, 1.0)
