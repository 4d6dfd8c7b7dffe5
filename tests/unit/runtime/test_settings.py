"""Settings are strict: a mistyped or impossible variable stops the process with words."""

import pytest

from mien.errors import SettingsError
from mien.runtime.settings import describe_settings, load_settings
from services.emotion.config import EmotionSettings
from services.recognizer.config import RecognizerSettings


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> RecognizerSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(RecognizerSettings, dict(variables))


def test_values_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own prefix and shared groups are both read."""
    settings = load(
        monkeypatch, MIEN_RECOGNIZER_MAX_BATCH_SIZE="4", MIEN_KAFKA_BOOTSTRAP_SERVERS="broker:9092"
    )
    assert (settings.max_batch_size, settings.kafka.bootstrap_servers) == (4, "broker:9092")


@pytest.mark.parametrize(
    "name", ["MIEN_RECOGNIZER_MAX_BATCHSIZE", "MIEN_KAFKA_BOOTSTRAP", "MIEN_RECOGNISER_EMBEDDER", "MIEN_X"]
)
def test_unknown_variable_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A mistyped name is not silently ignored."""
    with pytest.raises(SettingsError, match=f"unknown variables: {name}"):
        load(monkeypatch, **{name: "1"})


def test_variables_of_other_services_are_none_of_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    """All services of one machine may share one environment."""
    load(monkeypatch, MIEN_DETECTOR_ANYTHING="1", MIEN_HOME="/tmp/mien", MIEN_LOG_LEVEL="debug")


def test_value_out_of_bounds_names_its_variable_but_not_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message leads to the variable; a value may be a secret and is not repeated."""
    with pytest.raises(SettingsError, match="MIEN_RECOGNIZER_MAX_BATCH_SIZE") as caught:
        load(monkeypatch, MIEN_RECOGNIZER_MAX_BATCH_SIZE="7777")
    assert "7777" not in str(caught.value)


def test_settings_are_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes a running process's settings."""
    settings = load(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        settings.max_batch_size = 1


def test_redis_password_does_not_show_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may be printed as a whole."""
    assert "hunter2" not in repr(load(monkeypatch, MIEN_REDIS_URL="redis://:hunter2@localhost/0"))


@pytest.mark.parametrize("settings_class", [RecognizerSettings, EmotionSettings])
def test_every_setting_is_described(settings_class: type[RecognizerSettings]) -> None:
    """--help has words for each variable."""
    described = dict(describe_settings(settings_class))
    assert len(described) > 10
    assert not [name for name, meaning in described.items() if meaning.startswith("None")]


def test_unknown_embedder_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what may be chosen."""
    with pytest.raises(SettingsError, match="face_embedder_faceres"):
        load(monkeypatch, MIEN_RECOGNIZER_EMBEDDER="resnet")
