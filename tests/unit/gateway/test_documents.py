"""The OpenAPI document, its page for people, and docs/api.md say the same as the code does."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from services.gateway import app
from services.gateway.state import Gateway

from .conftest import LoggedIn

API_PAGE = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture
def document(people: LoggedIn) -> dict[str, Any]:
    answer = people.nobody().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json is not None
    return dict(answer.json)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_address_of_the_api_is_in_the_document(gateway: Gateway, document: dict[str, Any]) -> None:
    named = {
        f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in app.create_app(gateway).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and rule.endpoint not in ("docs", "openapi")
    }
    assert named == set(operations(document))


def test_every_operation_says_who_may_and_every_answer_it_may_give(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name
        refusals = {"401", "422", "500", "503"} | ({"400", "413", "415"} if name.startswith("POST") else set())
        assert refusals <= set(operation["responses"]), name
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                component = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
                shape = component["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/ErrorView"}, (name, status)


def test_what_needs_no_token_needs_a_password_a_code_or_a_receipt_or_is_a_report(document: dict[str, Any]) -> None:
    open_to_all = {name for name, operation in operations(document).items() if not operation["security"]}
    by_receipt = {f"POST /api/v1/receipts/{what}" for what in ("state", "add", "contest", "withdraw")}
    by_code = {"POST /api/v1/answers", "POST /api/v1/answers/sheet"}
    assert open_to_all == {"POST /api/v1/login", "POST /api/v1/reports", *by_receipt, *by_code}


def test_every_post_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
        assert headers == ({"Idempotency-Key"} if name.startswith("POST") else set()), name


def test_what_stands_in_the_path_stands_nowhere_else(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", name)), name
        body = operation.get("requestBody", {"content": {"application/json": {"schema": {}}}})
        reference = body["content"]["application/json"]["schema"].get("$ref", "#/").rsplit("/", 1)[1]
        fields = document["components"]["schemas"].get(reference, {}).get("properties", {})
        assert not in_path & set(fields), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(item) for item in value.values()))
        return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()

    for reference in references(document):
        _, components, kind, name = reference.split("/")
        assert name in document[components][kind], reference


def test_each_field_says_how_sensitive_it_is(document: dict[str, Any]) -> None:
    case = document["components"]["schemas"]["OpenCase"]["properties"]
    assert (case["category"]["x-sensitivity"], case["narrative"]["x-sensitivity"]) == ("C1", "C4")


class Page(HTMLParser):
    """Collects what the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        if given.get("id"):
            self.ids.add(str(given["id"]))
        self.targets += [str(given[name]) for name in ("href", "src") if given.get(name)]
        assert "style" not in given


def test_the_page_for_people_needs_nothing_from_elsewhere(people: LoggedIn) -> None:
    answer = people.nobody().get("/docs")
    assert answer.mimetype == "text/html"
    page = Page()
    page.feed(answer.get_data(as_text=True))
    assert not page.tags & {"script", "iframe", "img", "form"}
    for target in page.targets:
        if target.startswith("#"):
            assert target[1:] in page.ids, target
        else:
            answer = people.client.get(target)
            assert answer.status_code == 200, target
            answer.close()


def test_the_page_for_people_shows_every_operation_and_shape(people: LoggedIn, document: dict[str, Any]) -> None:
    page = Page()
    page.feed(people.nobody().get("/docs").get_data(as_text=True))
    assert {operation["operationId"] for operation in operations(document).values()} <= page.ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= page.ids


def test_every_address_is_in_the_documentation(gateway: Gateway, document: dict[str, Any]) -> None:
    page = API_PAGE.read_text("utf-8")
    for name in operations(document):
        assert f"`{name}`" in page, name
    for address in ("/healthz", "/readyz", "/metrics", "/api/v1/docs", "/api/v1/openapi.json"):
        assert address in page


def test_the_documentation_names_no_operation_that_is_gone(document: dict[str, Any]) -> None:
    named = set(re.findall(r"`((?:GET|POST) /api/v1/[^`]*)`", API_PAGE.read_text("utf-8")))
    assert named <= set(operations(document))


def test_the_documentation_says_of_every_operation_who_may(document: dict[str, Any]) -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in API_PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    groups = {row[0].strip("*"): re.findall(r"`(\w+)`", row[1]) for row in rows if row[0].startswith("*")}
    told = {row[0].strip("`"): row[2] for row in rows if len(row) == 3 and row[0].startswith(("`GET ", "`POST "))}
    for name, operation in operations(document).items():
        roles = re.match(r"Roles: ([\w, ]+)\.", operation["description"])
        if roles:
            named = groups.get(told[name].strip("*"), re.findall(r"`(\w+)`", told[name]))
            assert named == roles[1].split(", "), name
