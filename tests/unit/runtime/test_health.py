"""What is wrong with a process, and whether it can work all the same."""

from mien.runtime.health import Health


def test_a_problem_keeps_from_being_ready_until_it_is_resolved() -> None:
    health = Health()
    assert (health.state, health.is_ready) == ("starting", False)
    health.started()
    health.report("redis", "Redis does not answer")
    assert (health.state, health.is_ready, health.problems) == ("degraded", False, ["Redis does not answer"])
    health.resolve("redis")
    assert (health.state, health.is_ready, health.problems) == ("ready", True, [])


def test_a_shortcoming_is_told_and_the_work_goes_on() -> None:
    health = Health()
    health.started()
    health.fall_short("classifier", "the gallery alone names people")
    assert (health.state, health.is_ready) == ("degraded", True)
    assert health.problems == ["the gallery alone names people"]
    health.resolve("classifier")
    assert health.state == "ready"
