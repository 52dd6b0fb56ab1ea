"""The whole life of a case through the doors of a running service, with a mark in every text somebody may write."""

from collections.abc import Callable
from typing import Any

from contracts.case import assistance, audit, endings, erasure, mediation, parties, reclassification, welfare
from contracts.roles import Role
from kernel.identity import Actor
from tests.services.case import life
from tests.services.case.office import DIRECTOR, INSPECTOR, SUPERVISOR, person

SHAPES = (assistance, audit, endings, erasure, mediation, parties, reclassification, welfare)
PAYER = person("payer", Role.UNIT_SUPERVISOR)
Done = Callable[..., dict[str, Any]]
Planted = Callable[[str], str]


def marked_names(values: Any) -> set[str]:
    """The names of the fields that carry the mark, however deep."""
    if isinstance(values, list):
        return {name for each in values for name in marked_names(each)}
    if not isinstance(values, dict):
        return set()
    own = {name for name, value in values.items() if isinstance(value, str) and "ZQXMARK" in value}
    return own | {name for value in values.values() for name in marked_names(value)}


def persons(party: dict[str, Any], planted: Planted) -> dict[str, Any]:
    """What an intake says of persons beyond the party itself."""
    refused = {"purpose": "handling", "state": "refused", "consent_text": planted("consent")}
    kept = {"purpose": "referral", "state": "given", "withhold_from": ["local_police"]}
    man = {**party, "role": "respondent", "sex": "male"}
    plan = {"means": "call", "contact": planted("contact"), "caution": planted("caution")}
    return {"parties": [{**party, "consents": [refused, kept]}, man], "contact_plan": plan}


def while_at_work(done: Done, planted: Planted, case: dict[str, str], handler: Actor) -> None:
    """A reclassification, a mediation and a call for help."""
    proposed = done(
        "propose_reclassification",
        handler,
        **case,
        to_class="undetermined",
        ground="other",
        text=planted("reclassification"),
    )
    decided = {"reclassification_id": proposed["id"], "text": planted("decision")}
    done("approve_reclassification", DIRECTOR, **decided)
    done("list_reclassifications", handler)
    identity = done("get_case", handler, **case)["identity"]
    ids = [party["id"] for party in identity["parties"]]
    row = done("propose_mediation", handler, **case, parties=ids, mediator="forum", text=planted("mediation"))
    of_it = {"mediation_id": row["id"]}
    done("screen_mediation", handler, **of_it, screen=life.SAFE, asked_alone=True)
    wish = {"own_wish": True, "wish_heard_alone": True, "text": planted("wish")}
    done("approve_mediation", DIRECTOR, **of_it, **wish)
    for party in ids:
        consent = {"purpose": "mediation", "state": "given", "alone": "yes", "consent_text": planted("agreed")}
        done("record_consent", handler, **case, party_id=party, **consent)
    done("hold_mediation", handler, **of_it, terms=[{"text": planted("term")}], text=planted("meeting"))
    done("report_breach", handler, **of_it, text=planted("breach"))
    calling = {"station": "the station", "text": planted("call"), "withheld_reason": planted("withheld")}
    call = {"assistance_id": done("request_assistance", handler, **case, **calling)["id"]}
    done("arrive_assistance", handler, **call)
    done("end_assistance", handler, **call, result="calmed", text=planted("end"))
    plan = {"means": "visit", "contact": planted("contact"), "caution": planted("caution")}
    done("change_contact_plan", handler, **case, **plan)


def after_the_end(done: Done, planted: Planted, case: dict[str, str], other: str, handler: Actor) -> None:
    """Asked to be erased, and held; reopened, marked as a duplicate and separated; then it names staff, and the
    inspectorate reads the log."""
    said = {"asked_by": "affected", "alone": "yes", "pressure": "yes", "identity_checked": True}
    asked = done("request_erasure", handler, **case, **said, text=planted("erasure"))
    done("refuse_erasure", INSPECTOR, erasure_id=asked["id"], refusal="under_pressure")
    placed = done("place_hold", INSPECTOR, **case, text=planted("legal hold"))
    done("lift_hold", DIRECTOR, hold_id=placed["id"])
    done("reopen", SUPERVISOR, **case, text=planted("reopening"))
    done("mark_duplicate", SUPERVISOR, **case, original_id=other, text=planted("duplicate"))
    done("separate", SUPERVISOR, **case, text=planted("separate"))
    staff = {"staff_account": planted("account"), "staff_unit": planted("unit"), "staff_name": planted("officer")}
    done("name_staff", handler, **case, **staff)
    done("list_audit", INSPECTOR, of_account=planted("account"))


def an_application(done: Done, planted: Planted) -> None:
    """A welfare application from its start to its appeal."""
    applying = {
        "benefit": "land",
        "applicant": "officer",
        "applicant_name": planted("applicant"),
        "applicant_phone": planted("applicant phone"),
        "applicant_account": planted("applicant account"),
        "remark": planted("remark"),
    }
    one = {"welfare_id": done("start_welfare", SUPERVISOR, **applying)["id"]}
    present = ["application_form", "identity_card", "service_record"]
    done("check_documents", SUPERVISOR, **one, present=present)
    done("submit_welfare", SUPERVISOR, **one)
    done("hand_over_welfare", SUPERVISOR, **one, office="the ministry")
    done("decide_welfare", PAYER, **one, decision="refused", remark=planted("refusal"))
    done("appeal_welfare", SUPERVISOR, **one, remark=planted("appeal"))
    done("get_welfare", SUPERVISOR, **one)
