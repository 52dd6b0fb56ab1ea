"""The example for Prometheus loads, asks for metrics that exist, and leads whoever is called to a page that exists."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.repo import documents

FOLDER = documents.ROOT / "deploy" / "prometheus"


def _rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize(
    "words", [("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml")], ids=" ".join
)
def test_prometheus_accepts_the_example(words: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run([promtool, *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_asks_for_metrics_that_exist() -> None:
    known = set(documents.metrics())
    known |= {f"{name}_{suffix}" for name in known for suffix in ("count", "sum", "bucket")}
    asked = {name for rule in _rules() for name in re.findall(r"\bjisr_\w+", rule["expr"])}
    assert asked
    assert not asked - known


def test_every_alert_asks_for_states_that_exist() -> None:
    from contracts.sync import LinkState, ReplicaState

    asked = {
        state
        for rule in _rules()
        for states in re.findall(r'state=~?"([a-z_|]+)"', rule["expr"])
        for state in states.split("|")
    }
    assert asked <= {state.value for state in (*LinkState, *ReplicaState)}


def test_every_alert_leads_to_a_section_that_exists() -> None:
    broken = [rule["alert"] for rule in _rules() if not _exists(rule["annotations"]["runbook"])]
    assert not broken


def _exists(runbook: str) -> bool:
    name, _, anchor = runbook.partition("#")
    file = documents.ROOT / name
    return file.exists() and (not anchor or anchor in anchors(file.read_text("utf-8")))


def anchors(text: str) -> set[str]:
    """The anchors that a page's headings make, as GitHub and most others do."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_to_sections_lead_somewhere() -> None:
    broken = []
    for file in [*documents.ROOT.glob("*.md"), *(documents.ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", file.read_text("utf-8")):
            page = file.parent / target if target else file
            if "://" not in target and (not page.exists() or anchor not in anchors(page.read_text("utf-8"))):
                broken.append(f"{file.relative_to(documents.ROOT)} -> {target}#{anchor}")
    assert not broken, f"links to no section: {', '.join(broken)}"


def test_no_page_has_two_sections_of_one_name() -> None:
    """An anchor would lead to the first of them only. A changelog has the same words under each release."""
    pages = [documents.ROOT / "README.md", documents.ROOT / "CONTRIBUTING.md", *(documents.ROOT / "docs").rglob("*.md")]
    twice = []
    for file in pages:
        headings = re.findall(
            r"^#+ (.+)$", re.sub(r"```.*?```", "", file.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE
        )
        twice += [f"{file.relative_to(documents.ROOT)}: {name}" for name in set(headings) if headings.count(name) > 1]
    assert not twice, f"two sections of one name: {', '.join(twice)}"
