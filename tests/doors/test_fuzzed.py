"""The OpenAPI document, fuzzed with schemathesis: no 500, every answer as documented, what does not fit is refused.

Each operation is asked with values that fit its document and with values that do not; half of those that fit are asked
about records that exist. Bounded: `EXAMPLES` of each, and no further ones once `SECONDS` have passed. The seed is
printed with a failure; `JISR_FUZZ_SEED` repeats it.
"""

import os
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from contracts.roles import Role
from services.gateway import account, case, forum, login, notify, sync
from services.gateway.routes import DIRECTORATE, PREFIX, Route

from .api import OPENING, TRIAGED, Person, Town

EXAMPLES = 5
SECONDS = 90.0
SEED = int(os.environ.get("JISR_FUZZ_SEED", secrets.randbelow(2**31)))
ROUTES = [route for module in (login, account, forum, case, notify, sync) for route in module.routes]
BARRED = {Role.NODE_ADMIN, Role.OPERATOR, Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
# Words in the right shape may still name a day that is not, or a district of elsewhere: 422 is an answer, too.
NOT_CHECKED: list[CheckFunction] = [positive_data_acceptance]


@dataclass
class Bench:
    """A node to be asked, who asks there, and ids of records that exist."""

    operations: dict[str, APIOperation]
    office: Person
    desk: Person
    known: dict[str, Any] = field(default_factory=dict)

    def who(self, route: Route) -> Person:
        """Somebody who may; those who administer reach no case, so there are two of them."""
        return self.desk if route.roles is not None and route.roles & BARRED else self.office


def bench(town: Town, forum_id: str | None = None) -> Bench:
    schema = schemathesis.openapi.from_url(f"{town.node.api}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    roles = [role for role in Role if role not in BARRED]
    return Bench(
        operations={operation.label: operation for operation in operations},
        office=town.person("fuzz-office", *roles, unit="fuzz", forums=[forum_id] if forum_id else []),
        desk=town.person("fuzz-desk", *sorted(BARRED)),
    )


@pytest.fixture(scope="module")
def governorate(ninewa: Town) -> Bench:
    director = ninewa.person("fuzz-director", Role.PROVINCIAL_DIRECTOR)
    area = director.make("/areas", {"kind": "camp", "names": {"ar": "مخيم"}, "district": "mosul"})
    names = {"names": {"ar": "منتدى"}, "founding": "local", "area_ids": [area["id"]]}
    forum_id = director.make("/forums", names)["id"]
    director.do(f"/forums/{forum_id}/establish", {"established_on": "2026-01-10"})
    made = bench(ninewa, forum_id)
    made.known = {"area_id": area["id"], "forum_id": forum_id, "destination": "directorate-erbil"}
    made.known |= {"area_ids": [area["id"]], "district": "mosul", "handler_id": made.office.id}
    made.known |= {"account_id": director.id} | forum_records(made.office, forum_id) | case_records(made.office)
    return made


def forum_records(office: Person, forum_id: str) -> dict[str, str]:
    meeting = office.make(f"/forums/{forum_id}/meetings", {"planned_at": "2026-03-01T16:00:00Z", "place": "school"})
    concern = office.make(f"/forums/{forum_id}/concerns", {"category": "other", "text": "Dust.", "raised_by": "youth"})
    action = office.make(
        "/actions",
        {
            "forum_id": forum_id,
            "title": "Trees",
            "owner_kind": "authority",
            "owner_name": "Municipality",
            "owner_sector": "local_authority",
            "concern_id": concern["id"],
        },
    )
    return {"meeting_id": meeting["id"], "concern_id": concern["id"], "action_id": action["id"]}


def case_records(office: Person) -> dict[str, str]:
    opened = office.make("/cases", OPENING)
    office.do(f"/cases/{opened['id']}/triage", TRIAGED)
    office.do(f"/cases/{opened['id']}/assign", {"handler_id": office.id})
    office.do(f"/cases/{opened['id']}/start")
    referral = office.make(
        f"/cases/{opened['id']}/referrals",
        {"destination": "health", "office": "Clinic", "urgency": "urgent", "text": "A check."},
    )
    return {"case_id": opened["id"], "referral_id": referral["id"]}


@pytest.fixture(scope="module")
def directorate(baghdad: Town) -> Bench:
    return bench(baghdad)


@pytest.fixture(scope="module")
def until(governorate: Bench, directorate: Bench) -> float:
    """When no further example is tried."""
    return time.monotonic() + SECONDS


@pytest.mark.parametrize("mode", MODES, ids=["fits", "does_not_fit"])
@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
def test_every_answer_is_as_documented(
    governorate: Bench, directorate: Bench, until: float, route: Route, mode: GenerationMode
) -> None:
    print(f"JISR_FUZZ_SEED={SEED}")
    asked = directorate if route.at == DIRECTORATE else governorate
    headers = {"Authorization": f"Bearer {asked.who(route).token}"}

    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation_of(asked, route).as_strategy(generation_mode=mode), known=st.booleans())
    def ask(case: Case, known: bool) -> None:
        if time.monotonic() > until:
            return
        if known and mode is GenerationMode.POSITIVE:
            about_what_exists(case, asked.known)
        assume([] not in (case.query or {}).values())  # sent as nothing at all, so there is nothing to refuse
        case.call_and_validate(headers=headers, timeout=30, excluded_checks=NOT_CHECKED)

    ask()


def operation_of(asked: Bench, route: Route) -> APIOperation:
    template = PREFIX + route.path.replace("<", "{").replace(">", "}")
    return asked.operations[f"{route.method} {template}"]


def about_what_exists(case: Case, known: dict[str, Any]) -> None:
    """Ask about records that exist, in plain words: far more requests get past the first check."""
    parameters: dict[str, Any] = case.path_parameters or {}
    parameters.update({name: known[name] for name in parameters if name in known})
    if isinstance(case.body, dict):
        case.body = {name: known.get(name, in_plain_words(value)) for name, value in case.body.items()}


def in_plain_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: in_plain_words(item) for name, item in value.items()}
    if isinstance(value, list):
        return [in_plain_words(item) for item in value]
    return "".join(sign if sign.isprintable() else "ع" for sign in value).strip() if isinstance(value, str) else value
