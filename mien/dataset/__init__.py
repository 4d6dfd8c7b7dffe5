"""From a folder of photos to faces that a network can be trained on."""
