"""What docs/ shows of the program is what the program is."""

import re
from typing import Any

import pytest

from kernel.settings import Settings
from tests.repo import documents, pages

ROW = re.compile(r"^\| `([a-z_.<>]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)


@pytest.mark.parametrize("name", pages.MADE)
def test_what_is_made_from_the_program_is_up_to_date(name: str) -> None:
    file, text, wanted = pages.parts(name)
    assert text == wanted, f"write {file.name} anew with: python -m tests.repo.pages"


def _rows() -> dict[str, tuple[str, str]]:
    text = documents.documents("operations.md")
    section = text.partition("\n## Settings\n")[2].partition("\n## ")[0]
    return {key: (default, variable) for key, default, variable in ROW.findall(section)}


def test_the_tables_of_settings_show_every_key() -> None:
    elsewhere = [key for key, _, _ in ROW.findall(documents.documents("links.md"))]
    assert {*_rows(), *elsewhere} == set(documents.settings())


def test_the_table_of_settings_shows_the_default_of_every_key() -> None:
    rows = _rows()
    wrong = [f"{key}: {shown}, not {wanted}" for key, (shown, _) in rows.items() if shown != (wanted := _default(key))]
    assert not wrong, f"docs/operations.md is wrong about: {'; '.join(wrong)}"


def test_the_table_of_settings_shows_the_variable_of_every_key_that_has_one() -> None:
    for key, (_, variable) in _rows().items():
        from_file_only = key == "home" or key.endswith("broker_url_file") or key == "database_url_file" or "<" in key
        wanted = "–" if from_file_only else f"`JISR_{key.upper().replace('.', '__')}`"
        assert variable == wanted, key


def _default(key: str) -> str:
    field: Any = None
    model: Any = Settings
    for word in key.split("."):
        if word == "<destination>":
            continue
        field = model.model_fields[word]
        model = next(documents._models(field.annotation), None)
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == {}:
        return "–"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
