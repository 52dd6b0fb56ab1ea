"""Loading a plan through the HTTP API, as the people of a governorate would enter it.

`requests_of(plan)` is the whole load as a generator: it yields a request, is sent the answer, and needs
nothing else. Run against blank answers it says how many requests there will be; run against a node it loads
it. Every request carries an Idempotency-Key made of the seed, the node and the step, so that a load that was
interrupted is begun again from the start and repeats nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from contracts.case.words import Informed
from contracts.forum.words import AreaKind, CancelReason, Sector
from contracts.roles import Role
from deploy.demo.client import Api
from deploy.demo.country import FACILITATORS, account_values
from deploy.demo.plan import CASE_STEPS, Case, Concern, Forum, Meeting, Plan
from kernel.ids import new_id

Answer = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One POST: which account sends it, and the step by which its key is made."""

    login: str
    path: str
    body: dict[str, Any]
    step: str


Steps = Generator[Request, Answer, Any]


def requests_of(plan: Plan, *, password: str, today: date) -> Steps:
    """Every request of a governorate's load, in the order in which it must be sent."""
    forums = yield from _forums(plan)
    yield from _facilitators(forums, password)
    for number, (forum, answer) in enumerate(zip(plan.forums, forums, strict=True)):
        if forum.activated_on is not None:
            yield from _life_of_forum(forum, answer["id"], f"forum {number}", today)
    handlers = {}
    for login in ("officer", "worker"):
        handlers[login] = (yield Request(login, "/me", {}, ""))["id"]
    for number, case in enumerate(plan.cases):
        login = "worker" if number % 2 else "officer"
        yield from _life_of_case(case, login, handlers[login], f"case {number}")


def how_many(plan: Plan, *, today: date) -> int:
    """How many requests the load of `plan` takes."""
    steps = requests_of(plan, password="", today=today)
    count = 0
    try:
        next(steps)
        while True:
            count += 1
            steps.send(_blank())
    except StopIteration:
        return count


def _blank() -> Answer:
    return defaultdict(str, id=new_id())


# -- forums
# --------------------------------------------------------------------------------------------------------


def _forums(plan: Plan) -> Generator[Request, Answer, list[Answer]]:
    areas: dict[str, str] = {}
    forums = []
    for number, forum in enumerate(plan.forums):
        district = forum.district
        if district.slug not in areas:
            body = {"kind": AreaKind.DISTRICT, "names": dict(district.names), "district": district.slug}
            areas[district.slug] = (yield Request("director", "/areas", body, f"area {district.slug}"))["id"]
        forums.append((yield from _found(forum, areas[district.slug], f"forum {number}")))
    return forums


def _found(forum: Forum, area_id: str, step: str) -> Generator[Request, Answer, Answer]:
    answer = yield Request(
        "director",
        "/forums",
        {"names": dict(forum.names), "kind": forum.kind, "founding": forum.founding, "area_ids": [area_id]},
        f"{step} proposed",
    )
    path = f"/forums/{answer['id']}"
    body = {"established_on": forum.established_on.isoformat()}
    yield Request("director", f"{path}/establish", body, f"{step} established")
    if forum.activated_on is not None:
        body = {"activated_on": forum.activated_on.isoformat()}
        yield Request("director", f"{path}/activate", body, f"{step} activated")
    return answer


def _facilitators(forums: Sequence[Answer], password: str) -> Steps:
    """Two accounts that write every sample forum: nobody judges or verifies their own act."""
    for login, name in zip(FACILITATORS, ("ميسّرة المنتديات", "ميسّر مساعد"), strict=True):
        values = account_values(login, name, (Role.FORUM_FACILITATOR,), unit=None, forums=[one["id"] for one in forums])
        yield Request("admin", "/accounts", {**values, "password": password}, f"account {login}")


def _life_of_forum(forum: Forum, forum_id: str, step: str, today: date) -> Steps:
    path = f"/forums/{forum_id}"
    members = {}
    for member in forum.members:
        body = {
            "name": member.person.name,
            "sector": member.sector,
            "joined_on": forum.activated_on.isoformat() if forum.activated_on else today.isoformat(),
            "contact": member.person.phone,
        }
        answer = yield Request("facilitator", f"{path}/members", body, f"{step} member {member.sector}")
        members[member.sector] = answer["id"]
    held = None
    for number, meeting in enumerate(forum.meetings):
        answer = yield from _meeting(meeting, path, f"{step} meeting {number}")
        held = answer["id"] if meeting.came else held
    for number, concern in enumerate(forum.concerns):
        yield from _concern(concern, forum_id, f"{step} concern {number}")
    if held is not None:
        yield from _action(forum_id, held, members, f"{step} action", today)


def _meeting(meeting: Meeting, path: str, step: str) -> Generator[Request, Answer, Answer]:
    planned = {"planned_at": meeting.at.isoformat(), "place": "قاعة المركز المجتمعي", "session": meeting.session}
    answer = yield Request("facilitator", f"{path}/meetings", planned, step)
    meeting_path = f"{path}/meetings/{answer['id']}"
    if meeting.came is None:
        return answer
    if meeting.tension >= 4:
        yield Request("facilitator", f"{meeting_path}/cancel", {"reason": CancelReason.INSECURITY}, f"{step} cancelled")
        return answer
    held = {
        "held_at": meeting.at.isoformat(),
        "attendance": list(meeting.came),
        "guests": meeting.tension,
        "tension": meeting.tension,
    }
    yield Request("facilitator", f"{meeting_path}/hold", held, f"{step} held")
    return answer


def _concern(concern: Concern, forum_id: str, step: str) -> Steps:
    body = {
        "category": concern.category,
        "text": concern.text,
        "raised_by": concern.raised_by,
        "priority": concern.priority,
    }
    answer = yield Request("facilitator", f"/forums/{forum_id}/concerns", body, step)
    moves: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("facilitator", "accept", {}),
        ("facilitator", "own", {"owner_kind": "authority", "owner_name": "دائرة البلدية"}),
        ("facilitator", "answer", {"answer": "رُفع الطلب إلى الدائرة المعنية وجاء الرد بالموافقة."}),
        ("cofacilitator", "judge", {"satisfied": concern.priority != "high"}),
    )
    for login, move, body in moves[: concern.steps]:
        yield Request(login, f"/concerns/{answer['id']}/{move}", body, f"{step} {move}")


def _action(forum_id: str, meeting_id: str, members: dict[Sector, str], step: str, today: date) -> Steps:
    body = {
        "forum_id": forum_id,
        "title": "متابعة الإنارة مع دائرة البلدية",
        "owner_kind": "authority",
        "owner_name": "دائرة البلدية",
        "owner_sector": Sector.LOCAL_AUTHORITY,
        "meeting_id": meeting_id,
        "due_on": (today + timedelta(days=14)).isoformat(),
    }
    answer = yield Request("facilitator", "/actions", body, step)
    moves: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("facilitator", "agree", {}),
        ("facilitator", "start", {}),
        ("facilitator", "claim", {"evidence": "أُصلحت ثلاثة أعمدة."}),
        ("cofacilitator", "verify", {"member_id": members.get(Sector.RESIDENTS)}),
    )
    for login, move, body in moves:
        yield Request(login, f"/actions/{answer['id']}/{move}", body, f"{step} {move}")


# -- cases
# ---------------------------------------------------------------------------------------------------------


def _life_of_case(case: Case, handler: str, handler_id: str, step: str) -> Steps:
    answer = yield Request("intake", "/cases", case.opening, step)
    path = f"/cases/{answer['id']}"
    risk = {"risk": "medium", "conflict_checked": True, "scope_checked": True}
    texts = {"text": "تم الاتصال بالشخص والاستماع إليه."}
    moves: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("supervisor", "triage", risk),
        ("supervisor", "assign", {"handler_id": handler_id}),
        (handler, "start", {}),
        (handler, "propose", {"outcome": case.outcome, "text": "اتفق الطرفان وأُغلق الخلاف."}),
        ("director", "close", {"informed": Informed.YES, "text": "روجعت الحالة وأُقرّ الإغلاق."}),
    )
    for login, move, body in moves[: case.steps]:
        yield Request(login, f"{path}/{move}", body, f"{step} {move}")
        if move == "start":
            yield Request(handler, f"{path}/notes", texts, f"{step} note")
            yield from _referral(case, handler, path, step)


def _referral(case: Case, handler: str, path: str, step: str) -> Steps:
    """Sent as soon as work begins. One that will not be answered belongs to a case that stays at work."""
    at_work = case.steps == CASE_STEPS.index("in_progress")
    if case.referral is None or not (case.referral.answered or at_work):
        return
    body = {
        "destination": case.referral.destination,
        "office": "المركز الصحي في القضاء",
        "urgency": case.referral.urgency,
        "text": "نرجو تقديم الخدمة المطلوبة.",
        "consent": "given",
    }
    answer = yield Request(handler, f"{path}/referrals", body, f"{step} referral")
    for move in ("accept", "begin", "complete") if case.referral.answered else ():
        yield Request(handler, f"/referrals/{answer['id']}/{move}", {}, f"{step} referral {move}")


# -- sending
# -------------------------------------------------------------------------------------------------------


@dataclass
class Loader:
    """Sends one node's requests, each account logged in once."""

    node: str
    seed: int
    log_in: Callable[[str], Api]
    loaded: Callable[[], None]
    stopped: Callable[[], bool]
    _apis: dict[str, Api] = field(default_factory=dict)

    def load(self, steps: Steps) -> int:
        """Send them all, or until `stopped`; how many were answered."""
        count = 0
        answer: Answer | None = None
        try:
            while not self.stopped():
                request = next(steps) if answer is None else steps.send(answer)
                answer = self._send(request)
                count += 1
                self.loaded()
        except StopIteration:
            pass
        return count

    def _send(self, request: Request) -> Answer:
        if request.login not in self._apis:
            self._apis[request.login] = self.log_in(request.login)
        api = self._apis[request.login]
        if not request.step:
            return dict(api.get(request.path))
        return dict(api.post(request.path, request.body, key=key_of(self.seed, self.node, request.step)))


def key_of(seed: int, node: str, step: str) -> str:
    """The Idempotency-Key of a step."""
    return hashlib.sha256(f"{seed}/{node}/{step}".encode()).hexdigest()[:40]
