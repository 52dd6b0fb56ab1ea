"""No process of a node starts on a broken file of rules."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli import app
from node.processes import RUNNABLE
from tests.kit.nodes import Country, Node


@pytest.fixture
def node(country: Country) -> Node:
    """A node whose rules are weaker than they may be."""
    ninewa = country.add("ninewa", rules="rules.toml")
    (ninewa.home / "rules.toml").write_text("[case]\nadult_age = 16\n")
    return ninewa


def assert_refused(code: int, said: str, rules: Path) -> None:
    assert code == 2
    assert f"Rules file {rules}: `case.adult_age`: " in " ".join(said.split())


def test_every_process_refuses_it_naming_the_file_and_the_key(node: Node) -> None:
    for process in RUNNABLE:
        ended = CliRunner().invoke(app, ["run", process, "--settings", str(node.settings_file)])
        assert_refused(ended.exit_code, ended.stderr, node.home / "rules.toml")


def test_a_service_that_is_started_without_the_command_line_refuses_it_too(node: Node) -> None:
    words = [sys.executable, "-m", "node.services", "case", "--settings", str(node.settings_file)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert_refused(ended.returncode, ended.stderr, node.home / "rules.toml")
