"""The settings that the documents show are settings that load."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kernel.settings import load
from node.processes import prepare
from tests.repo import documents

SHOWN = [
    (name, block)
    for name in ("README.md", "docs/operations.md")
    for block in re.findall(r"```toml\n(.*?)```", (documents.ROOT / name).read_text("utf-8"), re.DOTALL)
    if re.search(r"^node = ", block, re.MULTILINE)
]


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_both_pages_show_a_settings_file(name: str) -> None:
    assert [shown for shown, _ in SHOWN if shown == name]


@pytest.mark.parametrize(("name", "block"), SHOWN, ids=[name for name, _ in SHOWN])
def test_a_settings_file_in_the_documents_can_be_used(name: str, block: str, tmp_path: Path) -> None:
    values = tomllib.loads(block)
    for secret in _secrets(values):
        (tmp_path / secret).parent.mkdir(exist_ok=True)
        (tmp_path / secret).write_text("amqp://jisr:password@127.0.0.1:5672/jisr")
    (tmp_path / values["topology"]).parent.mkdir(exist_ok=True)
    (tmp_path / values["topology"]).write_text((documents.ROOT / "deploy" / "topology.toml").read_text("utf-8"))
    file = tmp_path / "settings.toml"
    file.write_text(block)
    assert prepare(file).node.id == load(file).node


def _secrets(values: dict[str, Any]) -> list[str]:
    found = [value for key, value in values.items() if key.endswith("_url_file")]
    for table in values.values():
        if isinstance(table, dict):
            found += _secrets(table)
    return found
