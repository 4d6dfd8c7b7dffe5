"""Apache Kafka as one Java process: jars by Maven, storage formatted once, loopback only."""

import base64
import hashlib
import os
import shutil
import string
import subprocess
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Final

from mien.contracts.topics import MAX_MESSAGE_BYTES
from mien.local.process import ProcessSpec
from mien.local.readiness import is_kafka_ready

REPOSITORY: Final = Path(__file__).resolve().parents[2]
JARS: Final = REPOSITORY / "var" / "kafka" / "lib"
_RECIPE: Final = REPOSITORY / "deploy" / "kafka"
# Measured: 3 GB of frames at 130 MB/s through 312 partitions need less than 192 MB of heap. The serial
# collector and the first compiler tier cost the least CPU and memory on a machine with few cores.
_JAVA_OPTIONS: Final = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class KafkaUnavailableError(Exception):
    """Kafka can't be run on this machine; the message says what is missing."""


def find_java() -> str:
    """Return the path of ``java``.

    Raises:
        KafkaUnavailableError: There is none.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else None
    if found := java or shutil.which("java"):
        return found
    raise KafkaUnavailableError("Kafka needs Java 17 or newer: apt-get install openjdk-17-jre-headless")


def jars_are_current(jars: Path = JARS) -> bool:
    """Whether the jars are those of the recipe in ``deploy/kafka/pom.xml``."""
    stamp = jars / "recipe.sha256"
    return stamp.is_file() and stamp.read_text() == _recipe_checksum()


def copy_jars(jars: Path = JARS) -> None:
    """Let Maven copy Kafka's jars, unless they are there.

    Raises:
        KafkaUnavailableError: Maven is missing or failed.
    """
    if jars_are_current(jars):
        return
    if not (maven := shutil.which("mvn")):
        raise KafkaUnavailableError("Kafka's jars are copied by Maven: apt-get install maven")
    shutil.rmtree(jars, ignore_errors=True)
    command = [maven, "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    result = subprocess.run(
        [*command, f"-DoutputDirectory={jars}"], cwd=_RECIPE, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise KafkaUnavailableError(f"Maven failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    (jars / "recipe.sha256").write_text(_recipe_checksum())


def prepare_storage(folder: Path, *, port: int, controller_port: int, jars: Path = JARS) -> None:
    """Write the broker's settings, and format its storage if that is new.

    Raises:
        KafkaUnavailableError: Java or the jars are missing, or formatting failed.
    """
    java = find_java()
    if not jars_are_current(jars):
        raise KafkaUnavailableError(
            f"Kafka's jars are missing in {jars}: {sys.executable} -m mien.local.kafka"
        )
    folder.mkdir(parents=True, exist_ok=True)
    template = string.Template((_RECIPE / "server.properties").read_text())
    settings = template.substitute(
        port=port,
        controller_port=controller_port,
        data_dir=folder / "data",
        max_message_bytes=MAX_MESSAGE_BYTES,
    )
    (folder / "server.properties").write_text(settings)
    if (folder / "data" / "meta.properties").exists():
        return
    arguments = ("format", "-t", new_cluster_id(), "-c", str(folder / "server.properties"))
    result = subprocess.run(
        [*_java_command(java, jars), "kafka.tools.StorageTool", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise KafkaUnavailableError(f"formatting Kafka's storage failed:\n{result.stdout}{result.stderr}")


def new_cluster_id() -> str:
    """Return a random id in Kafka's own form: never one that its command line takes for an option."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id


def kafka_process(folder: Path, *, port: int, jars: Path = JARS) -> ProcessSpec:
    """Return how to run the broker whose storage was prepared in *folder*."""
    return ProcessSpec(
        name="kafka",
        command=(*_java_command(find_java(), jars), "kafka.Kafka", str(folder / "server.properties")),
        check_ready=partial(is_kafka_ready, port),
        port=port,
    )


def _java_command(java: str, jars: Path) -> tuple[str, ...]:
    return (java, *_JAVA_OPTIONS, "-cp", f"{jars}/*")


def _recipe_checksum() -> str:
    return hashlib.sha256((_RECIPE / "pom.xml").read_bytes()).hexdigest()


if __name__ == "__main__":
    try:
        copy_jars()
    except KafkaUnavailableError as problem:
        sys.exit(str(problem))
