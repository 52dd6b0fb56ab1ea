"""Every way a case can go, over the HTTP API of a running node, with a marker of its own in every text."""

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import requests
from marshmallow import Schema, fields

from contracts.roles import Role
from kernel.identity import Actor
from services.gateway import app, routes
from tests.doors.api import NO_TO_ALL, TRIAGED, Person, Town
from tests.services.case import marked_life
from tests.services.case.office import DIRECTOR, HANDLER, INSPECTOR, INTAKE, OFFICER, PARTNER, SUPERVISOR

UNIT = "ninewa-1"
OF_OTHER_SERVICES = ("login", "account", "forum", "notify", "sync")
NO_TEXT = {"account_id", "head_account_id", "handler_id", "partner_id", "code", "receipt", "sha256"}
"""Names of accounts, and what is no text but stands for one; each is checked where it is made."""
CLEAR_AT_HOME = {"reason", "staff_account", "staff_unit", "applicant_account", "of_account", "office"}
"""Kept in the clear in the node's own database: the audit log's reasons, and who stands outside the wall."""


class Marks:
    """Markers and the fields they were planted in. All begin alike, which makes the search for them quick."""

    def __init__(self, seed: int) -> None:
        self.family = f"ZQXMARK{random.Random(seed).randrange(100, 1000)}"
        self.named: dict[str, str] = {}
        self.fields: set[str] = set()

    def text(self, name: str) -> str:
        """A sentence with a fresh marker."""
        marker = f"{self.family}{len(self.named):05d}"
        self.named[marker] = name
        return f"{marker} {name}"

    def sent(self, values: Any) -> None:
        """Remember in which field each marker went."""
        if isinstance(values, list):
            for each in values:
                self.sent(each)
        elif isinstance(values, dict):
            for name, value in values.items():
                if isinstance(value, str) and value.startswith(self.family):
                    self.fields.add(name)
                    self.named[value.split()[0]] = name
                else:
                    self.sent(value)


def case_routes() -> Iterator[routes.Route]:
    """Every operation of the case service."""
    for module in app.OPERATIONS:
        if module.__name__.rpartition(".")[2] not in OF_OTHER_SERVICES:
            yield from module.routes


def personal_texts() -> set[str]:
    """Every field of a request to the case service in which somebody may write what is personal."""
    return {name for route in case_routes() for name in _texts(route.takes())}


def _texts(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        inner = field
        while isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, fields.Nested):
            yield from _texts(inner.schema)
        elif isinstance(inner, fields.String) and field.metadata.get("sensitivity") in ("C2", "C3", "C4"):
            yield name


class Flows:
    """The people of an office, each logged in, and what they do."""

    def __init__(self, town: Town, marks: Marks) -> None:
        self.town, self.marks = town, marks
        people = (INTAKE, SUPERVISOR, HANDLER, OFFICER, DIRECTOR, INSPECTOR, PARTNER, marked_life.PAYER)
        self.people: dict[str, Person] = {
            actor.id: town.person(f"leaks-{actor.name}", *(Role(role) for role in actor.roles), unit=actor.unit)
            for actor in people
        }
        self.cases: list[str] = []

    def done(self, door: str, by: Actor, **values: Any) -> dict[str, Any]:
        """Ask the operation that asks this door."""
        self.marks.sent(values)
        answer = self.asked(door, by, values)
        assert answer.ok, f"{door}: {answer.text}"
        shown: dict[str, Any] = answer.json()
        return shown

    def asked(self, door: str, by: Actor, values: dict[str, Any]) -> requests.Response:
        route = next(each for each in case_routes() if _takes(each, door, values))
        rest = {name: value for name, value in values.items() if name not in route.in_path}
        path = route.path.replace("<", "{").replace(">", "}").format(**values)
        ask: Callable[..., requests.Response] = self.people[by.id].post
        if route.method == "GET":
            return self.people[by.id].get(path, **rest)
        return ask(path, rest)

    def everything(self, category: str) -> None:
        """Two cases of a category from beginning to end, and what stands beside them."""
        planted = self.marks.text
        marked_life.an_application(self.done, planted)
        for ending in ("close", "withdraw"):
            case = self._opened(category)
            self.cases.append(case["case_id"])
            self._worked_on(case)
            self._receipt(case)
            self._evidence(case)
            self._looked_for(case)
            self._ended(case, ending)
        marked_life.after_the_end(self.done, planted, {"case_id": self.cases[-1]}, self.cases[-2], HANDLER)

    def report(self) -> None:
        """Somebody without an account."""
        reported = {
            "answers": NO_TO_ALL,
            "category": "harassment",
            "district": "mosul",
            "narrative": self.marks.text("narrative"),
            "place": self.marks.text("place"),
            "parties": [self._party()],
        }
        self.marks.sent(reported)
        self.town.nobody().make("/reports", reported)

    def _party(self) -> dict[str, Any]:
        planted = self.marks.text
        named = {"name": planted("name"), "address": planted("address"), "phone": planted("phone")[:40]}
        return {"role": "affected", "sex": "female", "birth_date": "1987-06-05", **named}

    def _opened(self, category: str) -> dict[str, str]:
        planted = self.marks.text
        opening = {"answers": NO_TO_ALL, "category": category, "channel": "walk_in", "district": "mosul", "unit": UNIT}
        told = {"narrative": planted("narrative"), "place": planted("place")}
        persons = marked_life.persons(self._party(), planted)
        case = {"case_id": self.done("open_case", INTAKE, **opening, **told, **persons)["id"]}
        self.done("triage", SUPERVISOR, **case, **TRIAGED)
        self.done("assign", SUPERVISOR, **case, handler_id=self.people[HANDLER.id].id)
        self.done("start", HANDLER, **case, without_consent_reason=planted("duty"))
        return case

    def _worked_on(self, case: dict[str, str]) -> None:
        planted = self.marks.text
        marked_life.while_at_work(self.done, planted, case, HANDLER)
        self.done("add_note", HANDLER, **case, text=planted("note"))
        self.done("hold", HANDLER, **case, reason=planted("hold"), review_on="2099-01-01")
        self.done("resume", HANDLER, **case)
        asked = {"destination": "health", "office": "the clinic", "urgency": "urgent"}
        partner = {"partner_id": self.people[PARTNER.id].id}
        agreed = {**asked, **partner, "consent": "given"}
        rejected = self.done("send_referral", HANDLER, **case, **agreed, text=planted("referral"))["id"]
        self.done("reject_referral", PARTNER, referral_id=rejected, reason="other", text=planted("rejection"))
        waiting = self.done("send_referral", HANDLER, **case, **asked, text=planted("referral"))["id"]
        overriding = planted("override reason")
        self.done(
            "dispatch_referral", SUPERVISOR, referral_id=waiting, consent="overridden", override_reason=overriding
        )
        for door in ("get_case", "list_notes"):
            self.done(door, SUPERVISOR, **case, reason=planted("reason"))
            assert self.asked(door, OFFICER, {**case, "reason": planted("reason")}).status_code == 404

    def _receipt(self, case: dict[str, str]) -> None:
        slip = self.done("issue_receipt", SUPERVISOR, **case)["receipt"]
        for what in ("add", "withdraw"):
            said = {"receipt": slip, "text": self.marks.text(f"by receipt: {what}")}
            self.marks.sent(said)
            self.town.nobody().do(f"/receipts/{what}", said)

    def _evidence(self, case: dict[str, str]) -> None:
        content = b"\xff\xd8\xff\xe0" + self.marks.text("content").encode()
        self.marks.fields.add("content")
        said = {"media_type": "image/jpeg", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        row = self.done("begin_evidence", HANDLER, **case, **said, title=self.marks.text("title"))
        part = {"evidence_id": row["id"], "part": 0}
        assert self.done("add_part", HANDLER, **part, content=base64.b64encode(content).decode())["state"] == "kept"
        self.done("read_evidence", SUPERVISOR, **part, reason=self.marks.text("reason"))

    def _looked_for(self, case: dict[str, str]) -> None:
        planted = self.marks.text
        self.done("find_persons", SUPERVISOR, name=planted("name"), phone=planted("phone")[:40], reason=planted("why"))
        self.done("same_persons", SUPERVISOR, **case, reason=planted("reason"))
        number = self.done("get_case", DIRECTOR, **case)["number"]
        self.done("break_glass", DIRECTOR, number=number, reason=planted("reason for the glass"))
        self.done("get_case", DIRECTOR, **case)

    def _ended(self, case: dict[str, str], ending: str) -> None:
        planted = self.marks.text
        if ending == "withdraw":
            asked = {"asked_by": "affected", "alone": "yes", "pressure": "no"}
            self.done("withdraw", HANDLER, **case, **asked, text=planted("withdrawal"))
            return
        reason = planted("open referrals")
        self.done("propose_resolution", HANDLER, **case, outcome="advice_given", text=planted("proposal"),
                  open_referrals_reason=reason)  # fmt: skip
        self.done("close", SUPERVISOR, **case, informed="yes", text=planted("closing"))


def _takes(route: routes.Route, door: str, values: dict[str, Any]) -> bool:
    """Whether this operation asks `door` and takes all of `values`; a reason is never written into an address."""
    asked = (route.door or route.name) == door and not set(values) & set(route.without)
    return asked and not (route.method == "GET" and "reason" in values)
