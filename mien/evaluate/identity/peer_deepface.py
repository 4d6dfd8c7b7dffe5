"""What VGG-Face costs in the peer ``deepface``; runs in the peer's environment, without Mien.

The network has random weights, as no package carries the real ones; they would take the same time. Prints the
processor milliseconds for one face of 224x224 as JSON.
"""

import json
import sys
import time

import numpy as np
import tensorflow
from deepface.models.facial_recognition.tf import VGGFace
from tensorflow.keras.layers import Flatten
from tensorflow.keras.models import Model


def main() -> None:
    """Run the network face by face, as deepface does, on one thread."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    faces = np.random.default_rng(0).random((int(sys.argv[1]), 1, 224, 224, 3), dtype=np.float32)
    network = VGGFace.base_model()
    descriptor = Model(inputs=network.inputs, outputs=Flatten()(network.layers[-5].output))
    descriptor(faces[0], training=False)
    before = time.process_time()
    for face in faces:
        descriptor(face, training=False)
    print(json.dumps(1000 * (time.process_time() - before) / len(faces)))


if __name__ == "__main__":
    main()
