"""A file of rules is taken whole or refused with the file and the key; the documents say what the program does."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from contracts import rules
from contracts.rules import Rules
from kernel.errors import SettingsError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "rules.toml"
PAGE = (ROOT / "docs" / "rules.md").read_text("utf-8")


def written(directory: Path, text: str) -> Path:
    file = directory / "rules.toml"
    file.write_text(text)
    return file


def every_rule() -> Iterator[tuple[str, FieldInfo]]:
    """The full key of every rule, and its field."""
    for part, section in Rules.model_fields.items():
        for name, field in type(section.default).model_fields.items():
            yield f"{part}.{name}", field


def bounds(field: FieldInfo) -> str:
    limits: dict[str, Any] = {}
    for each in field.metadata:
        limits |= {name: getattr(each, name) for name in ("ge", "le") if hasattr(each, name)}
    return f"{limits['ge']} to {limits['le']}"


def test_no_file_means_the_defaults() -> None:
    assert rules.load(None) == Rules()


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    changed = rules.load(written(tmp_path, "[forum]\ndormant_days = 90\n[notify]\nmail_retry_minutes = [2, 30]\n"))
    assert (changed.forum.at_risk_days, changed.forum.dormant_days) == (60, 90)
    assert changed.notify.mail_retry_minutes == (2, 30)
    assert changed.case == Rules().case


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[forums]\nat_risk_days = 60\n", "forums"),
        ("[forum]\nat_risk = 60\n", "forum.at_risk"),
        ("forum = 60\n", "forum"),
        ('[forum]\nat_risk_days = "60"\n', "forum.at_risk_days"),
        ("[forum]\nat_risk_days = 60.0\n", "forum.at_risk_days"),
        ("[forum]\nat_risk_days = true\n", "forum.at_risk_days"),
        ("[forum]\nat_risk_days = 0\n", "forum.at_risk_days"),
        ("[forum]\nat_risk_days = 120\n", "forum.dormant_days"),
        ("[forum]\ndormant_days = 60\n", "forum.dormant_days"),
        ("[case]\nreferral_immediate_hours = 100\n", "case.referral_urgent_hours"),
        ("[case]\nreferral_normal_hours = 71\n", "case.referral_normal_hours"),
        ("[case]\nadult_age = 17\n", "case.adult_age"),
        ("[case]\nleast_of_each_sex = 0\n", "case.least_of_each_sex"),
        ("[notify]\nmail_retry_minutes = []\n", "notify.mail_retry_minutes"),
        ("[notify]\nmail_retry_minutes = [1, 0]\n", "notify.mail_retry_minutes.1"),
        ('[notify]\nmail_retry_minutes = ["1"]\n', "notify.mail_retry_minutes.0"),
        ("[notify]\nmail_retry_minutes = 5\n", "notify.mail_retry_minutes"),
    ],
)
def test_a_bad_rule_is_refused_naming_the_file_and_the_key(tmp_path: Path, text: str, key: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        rules.load(file)
    assert str(file) in refused.value.message
    assert f"`{key}`" in refused.value.message


def test_what_is_no_toml_or_cannot_be_read_is_refused_naming_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"rules\.toml is not valid TOML.*line 1"):
        rules.load(written(tmp_path, "forum sixty"))
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        rules.load(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(SettingsError, match=r"latin\.toml is not valid TOML"):
        rules.load(tmp_path / "latin.toml")


def test_the_example_holds_every_rule_at_its_default() -> None:
    assert rules.load(EXAMPLE) == Rules()
    written_keys = {
        f"{part}.{name}" for part, section in tomllib.loads(EXAMPLE.read_text()).items() for name in section
    }
    assert written_keys == {key for key, _ in every_rule()}


def test_every_rule_is_on_its_page_with_its_default_and_bounds_and_nothing_else_is() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if re.match(r"\| `\w+\.", line)
    ]
    told = {row[0].strip("`"): tuple(row[1:3]) for row in rows}
    simple = {key: (str(field.default), bounds(field)) for key, field in every_rule() if isinstance(field.default, int)}
    waits = ", ".join(map(str, Rules().notify.mail_retry_minutes))
    others = {
        "notify.mail_retry_minutes": (waits, "1 to 50 waits of 1 to 10080"),
        "case.report_unit": (f"`{Rules().case.report_unit}`", "1 to 64 characters"),
    }
    assert told == {**simple, **others}


def test_every_rule_has_its_sentence() -> None:
    without = [key for key, field in every_rule() if not (field.description or "").endswith(".")]
    assert not without
