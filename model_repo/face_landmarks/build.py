"""Converts face-api's network of 68 landmarks."""

from mien.contracts.models import FACE_LANDMARKS, IMAGES, POINTS
from model_repo import face_api, layers
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles


def build(files: PackageFiles) -> Model:
    """Return the model from the files of `@vladmandic/face-api`."""
    weights = face_api.network_weights(files, "face_landmark_68_model")
    graph = Graph()
    flat = face_api.dense_network(graph, weights, size=FACE_LANDMARKS.size, output="coordinates")
    output = layers.as_points(graph, POINTS, flat, FACE_LANDMARKS.points)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(FACE_LANDMARKS.size)},
        outputs={POINTS: Port(output, DataType.FLOAT, (BATCH, FACE_LANDMARKS.points, 2))},
    )
