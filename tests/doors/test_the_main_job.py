"""What officers do all day, over HTTP, with every service real."""

from contracts.roles import Role
from tests.kit import wait

from .api import NO_TO_ALL, OPENING, TRIAGED, Town, refused

UNIT = "mosul-left"


def test_a_case_goes_from_intake_to_closing_with_a_referral(ninewa: Town) -> None:
    intake = ninewa.person("intake", Role.INTAKE_OFFICER, unit=UNIT)
    supervisor = ninewa.person("supervisor", Role.UNIT_SUPERVISOR, unit=UNIT)
    worker = ninewa.person("worker", Role.CASE_WORKER, unit=UNIT)
    narrative = "The neighbours quarrel about a wall."
    opened = intake.make(
        "/cases", OPENING | {"narrative": narrative, "parties": [{"role": "reporter", "name": "Um Ahmed"}]}
    )
    case = f"/cases/{opened['id']}"
    assert (opened["status"], opened["recording_class"]) == ("received", "non_crime")
    assert opened["number"].startswith("NI-")
    assert intake.read(case)["identity"]["narrative"] == narrative

    assert supervisor.read("/cases", status="received")["items"]
    assert supervisor.read(case)["identity"] is None
    assert supervisor.do(f"{case}/identity", {"reason": "to choose a handler"})["identity"]["narrative"] == narrative
    assert supervisor.do(f"{case}/triage", TRIAGED)["status"] == "triaged"
    officers = supervisor.read("/officers", unit=UNIT)["items"]
    assert worker.id in {officer["id"] for officer in officers}
    assert supervisor.do(f"{case}/assign", {"handler_id": worker.id})["status"] == "assigned"

    assert worker.do(f"{case}/start")["status"] == "in_progress"
    worker.make(f"{case}/notes", {"text": "Both want it settled."})
    referral = worker.make(
        f"{case}/referrals",
        {
            "destination": "court",
            "office": "Court of first instance",
            "urgency": "normal",
            "text": "Who owns the wall?",
            "consent": "given",
        },
    )
    assert worker.do(f"/referrals/{referral['id']}/accept")["status"] == "accepted"
    assert worker.do(f"/referrals/{referral['id']}/begin")["status"] == "in_service"
    assert worker.do(f"/referrals/{referral['id']}/complete")["status"] == "completed"
    assert worker.do(f"/referrals/{referral['id']}/confirm", {"person_says": "helped"})["status"] == "outcome_confirmed"
    proposal = {"outcome": "mediated_agreement", "text": "They share the wall."}
    assert worker.do(f"{case}/propose", proposal)["status"] == "resolution_proposed"
    own = refused(worker.post(f"{case}/close", {"informed": "yes", "text": "Done."}), 403)
    assert own["code"] == "forbidden"
    assert supervisor.do(f"{case}/close", {"informed": "yes", "text": "Agreed."})["status"] == "closed"
    assert [note["text"] for note in worker.read(f"{case}/notes")["items"]]


def test_a_handler_is_notified_of_a_case_and_reads_it(ninewa: Town) -> None:
    supervisor = ninewa.person("notified-supervisor", Role.UNIT_SUPERVISOR, unit="tal-afar")
    worker = ninewa.person("notified-worker", Role.CASE_WORKER, unit="tal-afar", language="en")
    wait.until(ninewa.notify_knows_everybody, seconds=60, what="notify knows the handler")
    opened = supervisor.make("/cases", OPENING)
    supervisor.do(f"/cases/{opened['id']}/triage", TRIAGED)
    supervisor.do(f"/cases/{opened['id']}/assign", {"handler_id": worker.id})
    inbox = wait.until(lambda: worker.read("/notifications")["items"], seconds=60, what="the handler was notified")
    assert "wall" not in inbox[0]["text"]
    assert "neighbour" not in inbox[0]["text"].lower()
    read = worker.do(f"/notifications/{inbox[0]['id']}/read")
    assert read["read_at"]
    assert worker.read("/notifications", unread="true")["items"] == []


def test_the_class_given_at_intake_follows_from_the_answers(ninewa: Town) -> None:
    intake = ninewa.person("classifier", Role.INTAKE_OFFICER, unit=UNIT)
    forced = intake.make("/cases", OPENING | {"answers": NO_TO_ALL | {"force": "yes"}})
    assert forced["recording_class"] == "crime_indicated"


def test_a_forum_meets_raises_a_concern_and_agrees_an_action(ninewa: Town) -> None:
    director = ninewa.person("director", Role.PROVINCIAL_DIRECTOR)
    area = director.make("/areas", {"kind": "neighbourhood", "names": {"ar": "الزهور"}, "district": "mosul"})
    forum = director.make(
        "/forums",
        {"names": {"ar": "منتدى الزهور", "en": "Zuhour forum"}, "founding": "local", "area_ids": [area["id"]]},
    )
    director.do(f"/forums/{forum['id']}/establish", {"established_on": "2026-01-10"})
    director.do(f"/forums/{forum['id']}/activate", {"activated_on": "2026-02-01"})
    facilitator = ninewa.person("facilitator", Role.FORUM_FACILITATOR, forums=[forum["id"]])
    meeting = facilitator.make(
        f"/forums/{forum['id']}/meetings", {"planned_at": "2026-03-01T16:00:00+03:00", "place": "school"}
    )
    attendance = [{"sector": "women", "sex": "female", "count": 4}, {"sector": "police", "sex": "male", "count": 2}]
    held = facilitator.do(
        f"/forums/{forum['id']}/meetings/{meeting['id']}/hold",
        {"held_at": "2026-03-01T16:10:00+03:00", "attendance": attendance, "tension": 2},
    )
    assert held["status"] == "held"
    concern = facilitator.make(
        f"/forums/{forum['id']}/concerns",
        {"category": "municipal_service", "text": "The street is dark.", "raised_by": "women"},
    )
    assert facilitator.do(f"/concerns/{concern['id']}/accept")["status"] == "accepted"
    action = facilitator.make(
        "/actions",
        {
            "forum_id": forum["id"],
            "title": "Lamps in the street",
            "owner_kind": "authority",
            "owner_name": "Municipality",
            "owner_sector": "local_authority",
            "concern_id": concern["id"],
        },
    )
    assert action["status"] == "proposed"
    assert facilitator.read("/actions", forum_id=forum["id"])["items"][0]["id"] == action["id"]
    assert facilitator.read(f"/forums/{forum['id']}")["status"] == "active"
    assert refused(facilitator.get("/cases"), 403)


def test_a_directive_is_issued_at_a_directorate_and_listed(baghdad: Town) -> None:
    author = baghdad.person("author", Role.DIRECTIVE_AUTHOR)
    issued = author.make(
        "/directives", {"title": {"ar": "توجيه", "en": "Directive"}, "text": {"ar": "نص", "en": "Text"}}
    )
    assert author.read("/directives")["items"][0]["id"] == issued["id"]


def test_a_directorate_shows_replicas_records_and_statistics(baghdad: Town) -> None:
    analyst = baghdad.person("analyst", Role.FEDERAL_ANALYST)
    replicas = {replica["origin"]: replica for replica in analyst.read("/replicas")["items"]}
    assert "ninewa" in replicas
    assert replicas["ninewa"]["behind"] == {"known": False, "entries": None, "seconds": None}
    assert analyst.read("/records", kind="case", origin="ninewa")["items"] == []
    counted = analyst.read("/statistics/cases", by="origin,category,month")
    assert counted["rows"] == []
    assert {line["reading"] for line in counted["coverage"]} == {"missing"}


def test_an_operator_pauses_and_resumes_a_link(ninewa: Town) -> None:
    operator = ninewa.person("operator", Role.OPERATOR)
    destinations = {link["destination"] for link in operator.read("/links")["items"]}
    assert destinations == {"directorate-baghdad", "directorate-erbil"}
    assert operator.do("/links/directorate-erbil/pause")["paused"] is True
    assert operator.do("/links/directorate-erbil/resume")["paused"] is False
    assert refused(operator.post("/links/atlantis/pause"), 404)
