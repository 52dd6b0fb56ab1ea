"""A broken settings file is refused with the file and the key named."""

from pathlib import Path

import pytest

from kernel.errors import SettingsError
from kernel.settings import load

GOOD = 'node = "ninewa"\nhome = "."\ntopology = "topology.toml"\nbroker_url = "amqp://u:p@localhost/v"\n'


def write(directory: Path, text: str) -> Path:
    file = directory / "node.toml"
    file.write_text(text)
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    settings = load(write(tmp_path, GOOD + 'rules = "rules.toml"\n'))
    assert settings.home == tmp_path
    assert settings.rules == tmp_path / "rules.toml"
    assert settings.keys_directory == tmp_path / "keys"
    assert settings.database_url_of("case") == f"sqlite:///{tmp_path}/case.db"


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("[ports]\ngateway = 99999\n", "ports.gateway"),
        ("[ports]\nlibrary = 80\n", "ports.library"),
        ('colour = "green"\n', "colour"),
        ('log_level = "loud"\n', "log_level"),
        ('database_url = "sqlite:///one.db"\n', "{service}"),
        ('[links.directorate-baghdad]\nbroker = "x"\n', "links.directorate-baghdad.broker"),
        ('[replication]\nhello_seconds = "soon"\n', "replication.hello_seconds"),
    ],
)
def test_a_bad_value_is_refused_naming_the_file_and_the_key(tmp_path: Path, more: str, key: str) -> None:
    file = write(tmp_path, GOOD + more)
    with pytest.raises(SettingsError) as refused:
        load(file)
    assert str(file) in refused.value.message
    assert key in refused.value.message


def test_text_that_is_not_toml_is_refused_naming_the_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"not valid TOML.*line 1"):
        load(write(tmp_path, "node ninewa"))


def test_a_missing_file_is_refused_naming_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_no_file_at_all_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JISR_SETTINGS", raising=False)
    with pytest.raises(SettingsError, match="--settings FILE"):
        load()


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JISR_LOG_LEVEL", "debug")
    monkeypatch.setenv("JISR_PORTS__GATEWAY", "9999")
    settings = load(write(tmp_path, GOOD))
    assert (settings.log_level, settings.ports.gateway) == ("debug", 9999)


def test_the_demo_directory_in_the_environment_does_not_move_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JISR_HOME", "/elsewhere")
    assert load(write(tmp_path, GOOD)).home == tmp_path


def test_a_secret_is_taken_from_the_file_that_holds_it(tmp_path: Path) -> None:
    (tmp_path / "broker").write_text("amqp://u:hush-hush@localhost/v\n")
    text = GOOD.replace('broker_url = "amqp://u:p@localhost/v"', 'broker_url_file = "broker"')
    settings = load(write(tmp_path, text))
    assert settings.broker == "amqp://u:hush-hush@localhost/v"
    assert "hush-hush" not in repr(settings)


def test_the_environment_may_name_the_file_of_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broker").write_text("amqp://u:hush-hush@localhost/v\n")
    monkeypatch.setenv("JISR_BROKER_URL_FILE", str(tmp_path / "broker"))
    settings = load(write(tmp_path, GOOD.replace('broker_url = "amqp://u:p@localhost/v"', "")))
    assert settings.broker == "amqp://u:hush-hush@localhost/v"


def test_a_secret_given_twice_or_in_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not both"):
        load(write(tmp_path, GOOD + 'broker_url_file = "broker"\n'))
    alone = GOOD.replace('broker_url = "amqp://u:p@localhost/v"', 'broker_url_file = "broker"')
    with pytest.raises(SettingsError, match=r"`broker_url_file`.*cannot be read"):
        load(write(tmp_path, alone))
