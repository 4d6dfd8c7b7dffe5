"""How well faces are told apart: the data, the embeddings, the protocols, the peers, the report."""
