"""Records whose every personal or free text carries a marker: a string that must never leave the node it was
typed at, and that is sealed even there where it says who is in a case or what was told.

A marker looks like nothing else, and is known by the field it was planted in, so that a find says what
leaked. All of one node begin alike, by the seed, which makes the search for them quick.
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts.case.words import Answer, Category, Question
from contracts.forum.words import AreaKind, Sector
from contracts.gazetteer import districts
from contracts.roles import Role
from deploy.demo.client import Api
from deploy.demo.country import Country, account_values
from kernel.clock import now


@dataclass
class Markers:
    """Every marker that was planted, and the field it is in."""

    dice: random.Random
    fields: dict[str, str] = field(default_factory=dict)
    at_rest: set[str] = field(default_factory=set)
    family: str = ""
    exchange: str = ""

    def __post_init__(self) -> None:
        self.family = f"mk{self.dice.getrandbits(32):08x}"
        self.exchange = f"964700{self.dice.randrange(1000, 10_000)}"

    def text(self, name: str) -> str:
        """A sentence with a marker in it."""
        return f"نص تجريبي {self._new(name)} نهاية النص"

    def sealed(self, name: str) -> str:
        """A sentence with a marker that nobody may find even in the node's own database."""
        text = self.text(name)
        self.at_rest.add(next(reversed(self.fields)))
        return text

    def word(self, name: str) -> str:
        """A marker that may stand where only letters and digits may."""
        return self._new(name)

    def phone(self, name: str) -> str:
        number = f"{self.exchange}{len(self.fields):04d}"
        self.fields[number] = name
        return f"+{number}"

    def sealed_phone(self, name: str) -> str:
        """A telephone number that stands sealed."""
        number = self.phone(name)
        self.at_rest.add(number.removeprefix("+"))
        return number

    def _new(self, name: str) -> str:
        marker = f"{self.family}{len(self.fields):06x}"
        self.fields[marker] = name
        return marker


@dataclass
class People:
    """The accounts of a governorate that the check works with, each logged in."""

    country: Country
    node: str
    _apis: dict[str, Api] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, login: str) -> Api:
        if login not in self._apis:
            self._apis[login] = self.country.api(self.node, login)
        return self._apis[login]

    def id_of(self, login: str) -> str:
        if login not in self._ids:
            self._ids[login] = self[login].get("/me")["id"]
        return self._ids[login]


def open_case(people: People, markers: Markers, category: Category) -> dict[str, Any]:
    """Open a case with a marker in every field that can hold a text or a number about a person."""
    case = f"case {category.value}"
    party = {
        "role": "affected",
        "name": markers.sealed(f"{case} name"),
        "phone": markers.sealed_phone(f"{case} phone"),
        "address": markers.sealed(f"{case} address"),
        "sex": "female",
        "age": 29,
    }
    body = {
        "answers": {question.value: Answer.NO.value for question in Question},
        "category": category.value,
        "channel": "walk_in",
        "district": districts(people.node)[0].slug,
        "reported_at": (now() - timedelta(hours=1)).isoformat(),
        "parties": [party],
        "narrative": markers.sealed(f"{case} narrative"),
        "place": markers.sealed(f"{case} place"),
    }
    return dict(people["intake"].post("/cases", body, key=markers.word(f"{case} idempotency key")))


def work_on(people: People, markers: Markers, case: dict[str, Any], ending: str) -> None:
    """Take the case from triage to `ending` (proposed, closed, held or withdrawn), a marker in every text."""
    path = f"/cases/{case['id']}"
    risk = {"risk": "high", "conflict_checked": True, "scope_checked": True}
    people["supervisor"].post(f"{path}/triage", risk)
    people["supervisor"].post(f"{path}/assign", {"handler_id": people.id_of("officer")})
    people["officer"].post(f"{path}/start")
    people["officer"].post(f"{path}/notes", {"text": markers.sealed("note")})
    referral = {
        "destination": "health",
        "office": markers.text("referral office"),
        "urgency": "urgent",
        "text": markers.sealed("referral text"),
        "consent": "given",
    }
    people["officer"].post(f"{path}/referrals", referral)
    people["supervisor"].post(f"{path}/identity", {"reason": markers.text("reason for reading identity")})
    glass = {"number": people["director"].get(path)["number"], "reason": markers.text("reason for breaking the glass")}
    people["director"].post("/break-glass", glass)
    people["director"].get(path)
    _end(people, markers, path, ending)


def _end(people: People, markers: Markers, path: str, ending: str) -> None:
    if ending == "held":
        review = (now() + timedelta(days=7)).date().isoformat()
        people["officer"].post(f"{path}/hold", {"reason": markers.sealed("reason of a hold"), "review_on": review})
    elif ending == "withdrawn":
        said = {"asked_by": "affected", "alone": "yes", "pressure": "unknown"}
        people["officer"].post(f"{path}/withdraw", {**said, "text": markers.sealed("withdrawal")})
    else:
        proposal = {
            "outcome": "advice_given",
            "text": markers.sealed("proposal"),
            "open_referrals_reason": markers.sealed("reason for open referrals"),
        }
        people["officer"].post(f"{path}/propose", proposal)
    if ending == "closed":
        people["director"].post(f"{path}/close", {"informed": "yes", "text": markers.sealed("closing form")})


def hold_forum(people: People, markers: Markers) -> None:
    """Found a forum and let it meet, with a marker in every name, contact and free text."""
    place = districts(people.node)[0]
    area = {"kind": AreaKind.NEIGHBOURHOOD.value, "names": {"ar": "محلة الفحص"}, "district": place.slug}
    area_id = people["director"].post("/areas", area)["id"]
    proposed = {
        "names": {"ar": "منتدى الفحص"},
        "founding": "local",
        "area_ids": [area_id],
        "facilitator": markers.text("facilitator of a forum"),
    }
    forum = people["director"].post("/forums", proposed)
    path = f"/forums/{forum['id']}"
    people["director"].post(f"{path}/establish", {"established_on": "2024-01-10"})
    people["director"].post(f"{path}/activate", {"activated_on": "2024-02-10"})
    login = markers.word("login of an account")
    account = account_values(
        login, markers.text("name of an account"), (Role.FORUM_FACILITATOR,), unit=None, forums=[forum["id"]]
    )
    email = f"{markers.word('e-mail of an account')}@example.org"
    password = people.country.password
    people["admin"].post("/accounts", {**account, "email": email, "password": password})
    _life(people.country.api(people.node, login), markers, forum["id"])


def _life(facilitator: Api, markers: Markers, forum_id: str) -> None:
    path = f"/forums/{forum_id}"
    member = {
        "name": markers.text("name of a member"),
        "sector": Sector.WOMEN.value,
        "joined_on": "2024-03-01",
        "contact": markers.phone("contact of a member"),
    }
    facilitator.post(f"{path}/members", member)
    meeting = {
        "planned_at": (now() - timedelta(days=2)).isoformat(),
        "place": markers.text("place of a meeting"),
        "agenda": [markers.text("agenda of a meeting")],
    }
    facilitator.post(f"{path}/meetings", meeting)
    concern = {"category": "other", "text": markers.text("text of a concern"), "raised_by": "women"}
    concern_id = facilitator.post(f"{path}/concerns", concern)["id"]
    facilitator.post(f"/concerns/{concern_id}/accept")
    owner = {"owner_kind": "member", "owner_name": markers.text("owner of a concern")}
    facilitator.post(f"/concerns/{concern_id}/own", owner)
    action = {
        "forum_id": forum_id,
        "title": markers.text("title of an action"),
        "owner_kind": "member",
        "owner_name": markers.text("owner of an action"),
        "owner_sector": "women",
        "concern_id": concern_id,
    }
    facilitator.post("/actions", action)
