"""What happens to a case after its first steps, asked as the doors ask: for tests of the whole life."""

from typing import Any

from sqlmodel import select

from contracts.case import assistance, endings, mediation, parties, reclassification, welfare
from contracts.roles import Role
from services.case import handlers
from services.case.tables import CaseRecord
from tests.services.case.office import DIRECTOR, HANDLER, INSPECTOR, OTHER_UNIT, SUPERVISOR, Office, person

INTERVIEWER = person("interviewer", Role.CONFIRMATION_INTERVIEWER, unit=OTHER_UNIT)
CENTRAL = person("central-interviewer", Role.CONFIRMATION_INTERVIEWER, unit=None)
WOMAN = {"role": "affected", "name": "A", "sex": "female", "age": 30}
MAN = {"role": "respondent", "name": "B", "sex": "male", "age": 40}
SAFE = {"fear": "no", "violence_goes_on": "no", "weapon_at_hand": "no", "under_pressure": "no", "child_at_risk": "no"}
PLAN = {"means": "call", "contact": "0770 000 0000", "from_hour": 9, "until_hour": 12, "caution": "ask for the school"}


def count(office: Office, table: Any) -> int:
    with office.database.read() as session:
        return len(session.exec(select(table)).all())


def party_ids(office: Office, case: CaseRecord, by: Any = HANDLER) -> list[str]:
    identity = office.get(case, by).identity
    assert identity is not None
    return [party.id for party in identity.parties]


def consent(office: Office, case: CaseRecord, party: str, by: Any = HANDLER, **values: Any) -> CaseRecord:
    whole = {"purpose": "mediation", "state": "given", "alone": "yes", **values}
    return office.do(handlers.record_consent, parties.RecordConsent, by, case_id=case.id, party_id=party, **whole)


def name_staff(office: Office, case: CaseRecord, by: Any = HANDLER, **values: Any) -> CaseRecord:
    return office.do(handlers.name_staff, parties.NameStaff, by, case_id=case.id, **values)


def reclassify(office: Office, case: CaseRecord, to: str = "non_crime", by: Any = HANDLER, **values: Any) -> Any:
    whole = {"to_class": to, "ground": "new_facts", "text": "the knife was a toy", **values}
    shape = reclassification.ProposeReclassification
    return office.do(handlers.propose_reclassification, shape, by, case_id=case.id, **whole)


def approve(office: Office, proposed: Any, by: Any = INSPECTOR, **values: Any) -> Any:
    whole = {"reclassification_id": proposed["id"], "text": "seen", **values}
    return office.do(handlers.approve_reclassification, reclassification.DecideReclassification, by, **whole)


def refuse(office: Office, proposed: Any, by: Any = INSPECTOR, **values: Any) -> Any:
    whole = {"reclassification_id": proposed["id"], "text": "not so", **values}
    return office.do(handlers.refuse_reclassification, reclassification.DecideReclassification, by, **whole)


def reclassifications(office: Office, by: Any, **values: Any) -> list[Any]:
    shape = reclassification.ReclassificationQuery
    return office.do(handlers.list_reclassifications, shape, by, **values).items


def closed(office: Office, outcome: str = "advice_given", by: Any = DIRECTOR, **values: Any) -> CaseRecord:
    return office.close(office.proposed(outcome, **values), by=by)


def reopen(office: Office, case: CaseRecord, by: Any = SUPERVISOR, **values: Any) -> CaseRecord:
    return office.do(handlers.reopen, endings.Reopen, by, case_id=case.id, **{"text": "she came back", **values})


def duplicate(office: Office, case: CaseRecord, of: CaseRecord, by: Any = SUPERVISOR, **values: Any) -> CaseRecord:
    whole = {"original_id": of.id, "text": "the same evening", **values}
    return office.do(handlers.mark_duplicate, endings.MarkDuplicate, by, case_id=case.id, **whole)


def separate(office: Office, case: CaseRecord, by: Any = SUPERVISOR, **values: Any) -> CaseRecord:
    whole = {"text": "another evening", **values}
    return office.do(handlers.separate, endings.Separate, by, case_id=case.id, **whole)


def next_steps(office: Office, by: Any, **values: Any) -> list[str]:
    return [case.id for case in office.do(handlers.list_next_steps, endings.NextStepQuery, by, **values)]


def draw(office: Office) -> int:
    return office.run(lambda session: handlers.draw_confirmations(session, now=office.now, rules=office.rules))


def lapse(office: Office) -> int:
    return office.run(lambda session: handlers.lapse_confirmations(session, now=office.now, rules=office.rules))


def confirmations(office: Office, by: Any = INTERVIEWER, **values: Any) -> list[Any]:
    return office.do(handlers.list_confirmations, endings.ConfirmationQuery, by, **values).items


def interview(office: Office, confirmation: Any, by: Any = INTERVIEWER) -> Any:
    shape = endings.GetConfirmation
    return office.do(handlers.get_confirmation, shape, by, confirmation_id=confirmation["id"])


def answer(office: Office, confirmation: Any, said: str, by: Any = INTERVIEWER, **values: Any) -> Any:
    whole = {"confirmation_id": confirmation["id"], "answer": said, **values}
    return office.do(handlers.record_confirmation, endings.RecordConfirmation, by, **whole)


def mediate(office: Office, case: CaseRecord, by: Any = HANDLER, **values: Any) -> Any:
    whole = {"parties": party_ids(office, case), "mediator": "forum", "text": "the wall", **values}
    return office.do(handlers.propose_mediation, mediation.ProposeMediation, by, case_id=case.id, **whole)


def of_mediation(office: Office, step: str, row: Any, by: Any = HANDLER, **values: Any) -> Any:
    """`screen`, `approve`, `hold`, `follow_up`, `breach` or `stop`."""
    steps: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "screen": (handlers.screen_mediation, mediation.ScreenMediation, {"screen": SAFE, "asked_alone": True}),
        "approve": (
            handlers.approve_mediation,
            mediation.ApproveMediation,
            {"own_wish": True, "wish_heard_alone": True, "text": "she wants peace"},
        ),
        "hold": (handlers.hold_mediation, mediation.HoldMediation, {"terms": [{"text": "no shouting"}], "text": "met"}),
        "follow_up": (
            handlers.follow_up_mediation,
            mediation.FollowUpMediation,
            {"kept": "kept", "still_safe": "yes"},
        ),
        "breach": (handlers.report_breach, mediation.ReportBreach, {"text": "he shouted"}),
        "stop": (handlers.stop_mediation, mediation.StopMediation, {"stop_reason": "consent_withdrawn"}),
    }
    use_case, shape, usual = steps[step]
    return office.do(use_case, shape, by, mediation_id=row.id, **{**usual, **values})


def agreed(office: Office, case: CaseRecord) -> Any:
    """A mediation of this case that ended in an agreement."""
    row = of_mediation(office, "screen", mediate(office, case))
    for party in party_ids(office, case):
        consent(office, case, party)
    return of_mediation(office, "hold", row)


def call_for_help(office: Office, case: CaseRecord, by: Any = HANDLER, **values: Any) -> Any:
    whole = {"station": "the station", "text": "a man with a knife", **values}
    return office.do(handlers.request_assistance, assistance.RequestAssistance, by, case_id=case.id, **whole)


def of_call(office: Office, step: str, row: Any, by: Any = HANDLER, **values: Any) -> Any:
    """`acknowledge`, `arrive`, `end` or `refuse`."""
    shapes: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "acknowledge": (handlers.acknowledge_assistance, assistance.AssistanceAnswered, {}),
        "arrive": (handlers.arrive_assistance, assistance.AssistanceAnswered, {}),
        "end": (handlers.end_assistance, assistance.EndAssistance, {"result": "calmed"}),
        "refuse": (handlers.refuse_assistance, assistance.RefuseAssistance, {"refusal": "no_vehicle"}),
    }
    use_case, shape, usual = shapes[step]
    return office.do(use_case, shape, by, assistance_id=row.id, **{**usual, **values})


def apply(office: Office, by: Any = HANDLER, **values: Any) -> Any:
    whole = {"benefit": "injury", "applicant": "officer", "applicant_name": "C", **values}
    return office.do(handlers.start_welfare, welfare.StartWelfare, by, **whole)


def of_application(office: Office, step: str, row: Any, by: Any = HANDLER, **values: Any) -> Any:
    """`check`, `submit`, `hand_over`, `decide`, `appeal`, `pay`, `close` or `get`."""
    present = [document.value for document in welfare.needed(row["benefit"], row["applicant"])]
    shapes: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "check": (handlers.check_documents, welfare.CheckDocuments, {"present": present}),
        "submit": (handlers.submit_welfare, welfare.SubmitWelfare, {}),
        "hand_over": (handlers.hand_over_welfare, welfare.HandOverWelfare, {"office": "the ministry"}),
        "decide": (handlers.decide_welfare, welfare.DecideWelfare, {"decision": "approved"}),
        "appeal": (handlers.appeal_welfare, welfare.AppealWelfare, {"remark": "the report was read wrongly"}),
        "pay": (handlers.pay_welfare, welfare.PayWelfare, {}),
        "close": (handlers.close_welfare, welfare.CloseWelfare, {}),
        "get": (handlers.get_welfare, welfare.GetWelfare, {}),
    }
    use_case, shape, usual = shapes[step]
    return office.do(use_case, shape, by, welfare_id=row["id"], **{**usual, **values})
