"""What stands in ``deploy/`` and ``docker-compose.yml`` is valid and agrees with the code."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from mien.contracts.models import EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS, SERVED_EMBEDDERS
from mien.contracts.topics import TOPICS
from mien.local.stack import SCALABLE
from mien.runtime.settings import KafkaSettings

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "deploy" / "docker" / "service.Dockerfile").read_text()


def test_the_compose_file_follows_the_compose_specification() -> None:
    """Checked against the specification's own schema, as the package check-jsonschema carries it."""
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


def test_workers_can_be_scaled() -> None:
    """A fixed container name or a published port would forbid a second replica."""
    for name in SCALABLE:
        assert not {"container_name", "ports"} & COMPOSE["services"][name].keys(), name


def test_every_service_has_an_image_target_with_its_own_lock() -> None:
    """What compose builds exists, and installs hashes of that service only."""
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    for name in (*SCALABLE, "gateway", "trainer"):
        assert COMPOSE["services"][name]["build"]["target"] == name
        assert name in targets
        assert f"--require-hashes --no-deps -r requirements/{name}.lock" in DOCKERFILE
        assert (ROOT / "requirements" / f"{name}.lock").is_file()


def test_every_neighbour_that_is_waited_for_exists_and_says_when_it_is_well() -> None:
    """`service_healthy` without a health check would wait for ever."""
    services = COMPOSE["services"]
    for service in services.values():
        for name, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "test" in services[name]["healthcheck"]


def test_defaults_agree_with_the_settings() -> None:
    """Compose and `mien up` split the cameras alike unless told otherwise."""
    default = COMPOSE["x-environment"]["MIEN_KAFKA_PARTITIONS"]
    assert default == f"${{KAFKA_PARTITIONS:-{KafkaSettings().partitions}}}"


@pytest.mark.parametrize(
    "name", re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
)
def test_every_example_setting_is_used_with_that_default(name: str) -> None:
    """`.env.example` states what compose does without it."""
    value = re.search(rf"^{name}=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert value is not None
    assert f"${{{name}:-{value[1]}}}" in (ROOT / "docker-compose.yml").read_text()


def test_the_topic_file_is_the_table_of_the_contracts() -> None:
    """Same names, partitions and settings, in both directions."""
    table = yaml.safe_load((ROOT / "deploy" / "kafka" / "topics.yml").read_text())["topics"]
    assert list(table) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        assert table[topic.name]["partitions"] == (topic.partitions or "cameras")
        assert {key: str(value) for key, value in table[topic.name]["configs"].items()} == topic.configs


def test_tensorflow_serving_is_told_of_every_model_that_workers_ask_for() -> None:
    """A model that is missing from the file would be NOT_FOUND for the workers."""
    text = (ROOT / "deploy" / "tf-serving" / "models.config").read_text()
    assert {model.name for model in (*SERVED_EMBEDDERS, EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS)} == set(
        re.findall(r'name: "(\w+)"', text)
    )


def test_locks_carry_hashes_and_no_addresses() -> None:
    """Packages come from the machine's own index; TensorFlow is for tests and training alone."""
    locks = sorted((ROOT / "requirements").glob("*.lock"))
    assert locks
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text, lock.name
        assert text.count("\n    --hash=") >= len(re.findall(r"^\S+==", text, re.MULTILINE)), lock.name
        assert "\ntensorflow==" not in text, lock.name
        assert lock.name in {"dev.lock", "trainer.lock"} or "tensorflow" not in text, lock.name


def test_what_runs_is_tested_at_the_same_versions() -> None:
    """Every line of a service's lock stands in the lock that the tests install."""
    pinned = re.compile(r"^(\S+==\S+)", re.MULTILINE)
    tested = set(pinned.findall((ROOT / "requirements" / "dev.lock").read_text()))
    for lock in (ROOT / "requirements").glob("*.lock"):
        if lock.name != "node.lock":
            assert set(pinned.findall(lock.read_text())) <= tested, lock.name
