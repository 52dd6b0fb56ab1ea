"""Plant a mark in every personal field, go every way a case can go, and look for the marks where they must not be."""

from typing import Any

import requests
from marshmallow import fields
from sqlmodel import select

from contracts.case import requests as request_shapes
from contracts.roles import Role
from kernel.broker import FACTS, channel_to
from kernel.database import Database
from kernel.identity import Actor
from kernel.outbox import OutboxRow, read_slice
from kernel.schema import Strict
from tests.kit import wait
from tests.services.case import marked_life
from tests.services.case.doors import DOORS, Doors
from tests.services.case.office import INTAKE, OFFICER, OPENING, SUPERVISOR

NO_REQUEST = ("View", "Line", "Page", "File")


def planted(name: str) -> str:
    return f"ZQXMARK {name} ZQXMARK"


PARTY = {
    "role": "affected",
    "name": planted("name"),
    "sex": "female",
    "birth_date": "1987-06-05",
    "phone": planted("phone"),
    "address": planted("address"),
}
MARKED_HANDLER = Actor("ZQXMARK-handler", planted("handler"), frozenset({Role.CASE_WORKER}), "ninewa", "ninewa-1")
MARKED_PARTNER = Actor("ZQXMARK-partner", planted("partner"), frozenset({Role.REFERRAL_PARTNER}), "ninewa")
MARKS = (b"ZQXMARK", b"1987-06-05")
WITHDRAWING = {key: DOORS["withdraw"][key] for key in ("asked_by", "alone", "pressure")}


def personal_texts() -> set[str]:
    """Every field of a request in which somebody may write what is personal."""
    modules = (request_shapes, *marked_life.SHAPES)
    named = [shape for module in modules for shape in vars(module).values() if isinstance(shape, type)]
    shapes = [shape for shape in named if issubclass(shape, Strict) and not shape.__name__.endswith(NO_REQUEST)]
    return {
        name
        for shape in shapes
        for name, field in shape().fields.items()
        if isinstance(field, fields.String) and field.metadata.get("sensitivity") in ("C2", "C3", "C4")
    }


def all_flows(doors: Doors, category: str) -> None:
    """Plant a mark in every personal field that there is, and go every way a case can go."""
    used = set(PARTY)

    def done(door: str, by: Actor, **values: Any) -> dict[str, Any]:
        used.update(marked_life.marked_names(values))
        return doors.done(door, by, **values)

    marked_life.an_application(done, planted)
    cases = []
    for ending in ("close", "withdraw"):
        opening = {**OPENING, "category": category, **marked_life.persons(PARTY, planted)}
        case_id = done("open_case", INTAKE, **opening, narrative=planted("narrative"), place=planted("place"))["id"]
        case = {"case_id": case_id}
        done("triage", SUPERVISOR, **{**DOORS["triage"], **case})
        done("assign", SUPERVISOR, **case, handler_id=MARKED_HANDLER.id)
        done("start", MARKED_HANDLER, **case, without_consent_reason=planted("duty"))
        marked_life.while_at_work(done, planted, case, MARKED_HANDLER)
        done("add_note", MARKED_HANDLER, **case, text=planted("note"))
        done("hold", MARKED_HANDLER, **case, reason=planted("hold"), review_on="2099-01-01")
        done("resume", MARKED_HANDLER, **case)
        asked = {**DOORS["send_referral"], **case, "text": planted("referral"), "partner_id": MARKED_PARTNER.id}
        rejected, left_open = (done("send_referral", MARKED_HANDLER, **asked)["id"] for _ in range(2))
        done("reject_referral", MARKED_PARTNER, referral_id=rejected, reason="other", text=planted("rejection"))
        done("accept_referral", MARKED_PARTNER, referral_id=left_open)
        for door in ("get_case", "list_notes"):
            done(door, SUPERVISOR, **case, reason=planted("reason"))
            assert doors.refused(door, OFFICER, **case, reason=planted("reason"))[0] == 404
        if ending == "close":
            done(
                "propose_resolution",
                MARKED_HANDLER,
                **case,
                outcome="advice_given",
                text=planted("proposal"),
                open_referrals_reason=planted("open referrals"),
            )
            done("close", SUPERVISOR, **case, informed="yes", text=planted("closing"))
        else:
            done("withdraw", MARKED_HANDLER, **case, **{**WITHDRAWING, "text": planted("withdrawal")})
        cases.append(case_id)
    marked_life.after_the_end(done, planted, {"case_id": cases[1]}, cases[0], MARKED_HANDLER)
    assert personal_texts() <= used, "a personal field that no flow marks"


def test_nothing_personal_is_in_an_outbox_on_a_broker_in_a_log_or_in_a_metric(doors: Doors, database: Database) -> None:
    with channel_to(doors.node.settings.broker) as channel:
        channel.exchange_declare(FACTS, "topic", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, FACTS, "#")
        for category in ("neighbour_dispute", "domestic_abuse"):
            all_flows(doors, category)
        with database.read() as session:
            rows = [row.envelope for row in session.exec(select(OutboxRow)).all()]
        published: list[bytes] = []

        def all_published() -> bool:
            while (body := channel.basic_get(queue, auto_ack=True)[2]) is not None:
                published.extend(bytes(fact) for fact in read_slice(body).facts)
            return {bytes(row) for row in rows} <= set(published)

        wait.until(all_published, seconds=60, what="every fact of the outbox was published")
    logs = doors.node.log("case").read_bytes()
    metrics = requests.get(f"{doors.node.url('case')}/metrics", timeout=30).content
    assert b"case" in metrics
    for where in (*rows, *published, logs, metrics):
        assert not any(mark in where for mark in MARKS)


def test_a_refusal_quotes_nothing_of_what_was_told(doors: Doors) -> None:
    body = {**OPENING, "parties": [{**PARTY, "age": 3}], "narrative": planted("narrative") * 2000, "tribe": "x"}
    answer = doors.ask("open_case", INTAKE, body)
    assert answer.status_code == 422
    assert not any(mark in answer.content for mark in MARKS)
