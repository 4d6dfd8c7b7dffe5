"""The face detectors that ours is measured against, each in an environment of its own (``mien.bench.peers``).

They need nothing of Mien's: ``python -m mien.bench.contenders.NAME --min-face-px 40`` reads one JSON string,
a path, per line and answers with the fields of :class:`mien.contracts.find_faces.FacesFound`.
"""
