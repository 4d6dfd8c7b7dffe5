"""What the broker is given before it starts."""

from mien.local.kafka import new_cluster_id


def test_cluster_ids_are_different_and_never_look_like_an_option() -> None:
    """One random id in 64 would begin with a dash, and formatting would fail on one machine in 64."""
    ids = {new_cluster_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert {len(cluster_id) for cluster_id in ids} == {22}
    assert not [cluster_id for cluster_id in ids if cluster_id.startswith("-")]
