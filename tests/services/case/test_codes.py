"""An office without an account answers once, with a code that nobody can guess or find."""

import pytest

from contracts import case as contract
from kernel.errors import MoveRefused
from services.case import handlers
from services.case.refusals import NothingToAnswer, NotTheHandler
from services.case.tables import Referral, ReferralCode
from tests.services.case.office import HANDLER, PARTNER, Office

AFFECTED = {"role": "affected", "name": "Amal", "sex": "female", "phone": "0770"}


def issued(office: Office, referral: Referral) -> str:
    return office.do(handlers.issue_code, contract.IssueCode, HANDLER, referral_id=referral.id)[1]


def sheet(office: Office, referral: Referral, code: str) -> handlers.Sheet | None:
    values = contract.SheetByCode().load({"number": referral.number, "code": code})
    return office.run(lambda session: handlers.sheet_by_code(session, values, now=office.now))


def answer(office: Office, referral: Referral, code: str, said: str = "accept", **values: str) -> Referral | None:
    loaded = contract.AnswerByCode().load({"number": referral.number, "code": code, "answer": said, **values})
    return office.run(lambda session: handlers.answer_by_code(session, loaded, now=office.now))


def test_a_code_shows_the_sheet_and_answers_once(office: Office) -> None:
    referral = office.refer(office.at_work(parties=[AFFECTED]))
    code = issued(office, referral)
    seen = sheet(office, referral, code.lower().replace("-", " "))
    assert seen is not None
    assert [each.name for each in seen.persons] == ["Amal"]
    assert office.referral(referral).status == "delivered"
    accepted = answer(office, referral, code)
    assert accepted is not None
    assert accepted.status == "accepted"
    assert sheet(office, referral, code) is None
    assert answer(office, referral, code, "begin") is None
    assert (f"code:{referral.id}", "read_sheet", referral.id, "allowed", None) in office.audited()


def test_a_fresh_code_is_needed_for_each_answer_and_voids_the_one_before(office: Office) -> None:
    referral = office.refer(office.at_work())
    first, second = issued(office, referral), issued(office, referral)
    assert answer(office, referral, first) is None
    assert answer(office, referral, second) is not None
    done = answer(office, referral, issued(office, referral), "not_complete", not_completed_reason="no_capacity")
    assert done is not None
    assert (done.status, done.not_completed_reason) == ("not_completed", "no_capacity")


def test_an_answer_that_does_not_fit_is_refused_and_the_code_holds(office: Office) -> None:
    referral = office.refer(office.at_work())
    code = issued(office, referral)
    with pytest.raises(MoveRefused):
        answer(office, referral, code, "complete")
    assert answer(office, referral, code, "reject", reject_reason="no_capacity") is not None


def test_five_wrong_guesses_void_a_code(office: Office) -> None:
    referral = office.refer(office.at_work())
    code = issued(office, referral)
    for guess in range(4):
        assert sheet(office, referral, f"{guess}AAAA-AAAAA") is None
    assert sheet(office, referral, code) is not None
    assert answer(office, referral, "XXXXX-XXXXX") is None
    assert answer(office, referral, code) is None


def test_a_code_ends_with_its_time_and_after_three_looks(office: Office) -> None:
    referral = office.refer(office.at_work(), urgency="normal")
    code = issued(office, referral)
    assert [sheet(office, referral, code) is not None for _ in range(4)] == [True, True, True, False]
    office.wait(days=office.rules.code_days)
    assert answer(office, referral, code) is None


def test_a_code_is_of_one_referral(office: Office) -> None:
    case = office.at_work()
    mine, other = office.refer(case), office.refer(case)
    code = issued(office, mine)
    issued(office, other)
    assert sheet(office, other, code) is None


def test_a_revoked_referral_has_nothing_behind_its_code(office: Office) -> None:
    referral = office.refer(office.at_work(parties=[AFFECTED]))
    code = issued(office, referral)
    office.step("revoke_referral", referral, reason="consent_withdrawn")
    assert sheet(office, referral, code) is None
    assert answer(office, referral, code) is None
    with pytest.raises(NothingToAnswer):
        issued(office, referral)


def test_no_code_before_it_is_sent_and_none_for_the_partner(office: Office) -> None:
    draft = office.refer(office.at_work(), consent="asked", partner_id=PARTNER.id)
    with pytest.raises(NothingToAnswer):
        issued(office, draft)
    with pytest.raises(NotTheHandler):
        office.do(handlers.issue_code, contract.IssueCode, PARTNER, referral_id=draft.id)


def test_the_database_has_no_code(office: Office) -> None:
    referral = office.refer(office.at_work())
    code = issued(office, referral)
    kept = office.run(lambda session: session.get_one(ReferralCode, referral.id))
    assert code.replace("-", "").encode() not in kept.hash + kept.salt
    assert not any(code in str(line) for line in office.audited())
