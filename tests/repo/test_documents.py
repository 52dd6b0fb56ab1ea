"""The documents name everything that a person can meet. What is missing is listed by name."""

import re
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from kernel.settings import Settings
from tests.repo import documents


def _assert_all_in(missing: list[str], where: str) -> None:
    assert not missing, f"not a word in {where} about: {', '.join(missing)}"


def test_every_command_is_in_the_documents() -> None:
    _assert_all_in(documents.unmentioned(documents.commands()), "docs/ (operations.md) or README.md")


def test_every_command_has_an_example_in_its_help() -> None:
    without = [words for words, command in documents.commands().items() if "Example:" not in (command.help or "")]
    assert not without, f"no 'Example:' in the help of: {', '.join(without)}"


def test_every_command_answers_to_help() -> None:
    from node.cli import app

    for words in documents.commands():
        result = CliRunner().invoke(app, [*words.split()[1:], "--help"])
        assert result.exit_code == 0, f"{words} --help ended with {result.exit_code}"


def test_every_command_but_run_can_answer_in_json() -> None:
    commands = documents.commands().items()
    without = [words for words, command in commands if not any("--json" in p.opts for p in command.params)]
    assert set(without) <= {"jisr run"}, f"no --json: {', '.join(without)}"


def test_every_setting_is_in_the_documents() -> None:
    _assert_all_in(documents.unmentioned(documents.settings()), "docs/ (operations.md: settings)")


def test_every_metric_is_in_the_documents() -> None:
    _assert_all_in(documents.unmentioned(documents.metrics()), "docs/ (operations.md: metrics)")


def test_metrics_are_declared_in_one_place() -> None:
    elsewhere = [
        str(file.relative_to(documents.ROOT))
        for file in documents.sources("kernel", "contracts", "services", "node")
        if re.search(r"import .*\b(Counter|Gauge|Histogram|Summary)\b", file.read_text("utf-8"))
        and file.name != "metrics.py"
        and "prometheus_client" in file.read_text("utf-8")
    ]
    assert not elsewhere, f"declare metrics in kernel/metrics.py, not in: {', '.join(elsewhere)}"


def test_every_queue_and_exchange_is_in_the_documents() -> None:
    _assert_all_in(documents.unmentioned(documents.queues()), "docs/ (operations.md: queues)")


def test_every_fact_type_is_in_the_documents() -> None:
    _assert_all_in(documents.unmentioned(documents.fact_types()), "docs/facts.md")


def test_the_documents_name_no_fact_type_that_does_not_exist() -> None:
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+\.v\d+)`", documents.documents("facts.md")))
    assert not named - set(documents.fact_types()), "docs/facts.md names facts that nothing publishes"


def test_every_http_path_is_in_the_documents(make_settings: Callable[..., Settings]) -> None:
    written = re.sub(r"\{[^}]*\}", "{}", documents.documents())
    missing = [path for path in _paths(make_settings()) if not re.search(rf"{re.escape(path)}(?![\w/{{])", written)]
    _assert_all_in(sorted(missing), "docs/ (api.md), with {…} for what varies")


def _paths(settings: Settings) -> set[str]:
    from kernel.migration import migrate
    from services.gateway.app import create_app, open_gateway

    migrate(settings.database_url_of("gateway"), "gateway")
    gateway = open_gateway(settings)
    try:
        rules = [rule.rule for rule in create_app(gateway).url_map.iter_rules() if rule.endpoint != "static"]
    finally:
        gateway.database.close()
    return {re.sub(r"<[^>]*>", "{}", rule).removeprefix("/api/v1") for rule in rules}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
def test_the_documents_for_people_are_there(name: str) -> None:
    assert (documents.ROOT / name).exists(), f"{name} is missing"


@pytest.mark.parametrize("name", ["architecture.md", "protocol.md", "facts.md", "operations.md", "performance.md"])
def test_the_documents_for_operators_are_there(name: str) -> None:
    assert (documents.ROOT / "docs" / name).exists(), f"docs/{name} is missing"


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for file in [*documents.ROOT.glob("*.md"), *(documents.ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", file.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:") and not (file.parent / target).exists():
                broken.append(f"{file.relative_to(documents.ROOT)} -> {target}")
    assert not broken, f"links to nothing: {', '.join(broken)}"
