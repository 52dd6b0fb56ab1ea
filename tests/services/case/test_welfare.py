"""Welfare applications: documents, days waiting, and who may decide."""

from pathlib import Path

import pytest
from sqlmodel import select

from contracts.case.welfare import Applicant, Benefit, Document, WelfareQuery, WelfareStatus, WelfareView, needed
from contracts.numbers import check
from contracts.roles import Role
from kernel.crypto import new_secret
from kernel.errors import Forbidden, MoveRefused, StaleVersion
from kernel.vault import FORMER_KEY, IDENTITY_KEY, Vault
from services.case import handlers, sealing
from services.case.refusals import DocumentsMissing, OwnAct, UnitNeeded, WelfareNotFound
from services.case.sealing import VAULT
from services.case.tables import WelfareApplication
from tests.services.case import life
from tests.services.case.life import of_application
from tests.services.case.office import (
    ADMIN,
    DIRECTOR,
    HANDLER,
    INTAKE,
    OTHER_SUPERVISOR,
    SUPERVISOR,
    Office,
    person,
)


def with_office(office: Office) -> dict[str, object]:
    row = life.apply(office)
    of_application(office, "check", row)
    of_application(office, "submit", row)
    return of_application(office, "hand_over", row)


def test_an_application_goes_from_its_start_to_the_money_and_counts_its_days(office: Office) -> None:
    row = life.apply(office)
    assert row["number"].startswith("W-NI-2026-000001-")
    assert check(row["number"])
    assert row["days_waiting"] is None
    missing = of_application(office, "check", row, present=["application_form", "identity_card"])
    assert missing["status"] is WelfareStatus.DOCUMENTS_MISSING
    assert Document.MEDICAL_REPORT in missing["missing"]
    with pytest.raises(DocumentsMissing):
        of_application(office, "submit", row)
    assert of_application(office, "check", row)["status"] is WelfareStatus.STARTED
    of_application(office, "submit", row)
    office.wait(days=40)
    assert of_application(office, "hand_over", row)["days_waiting"] == 40
    office.wait(days=30)
    assert of_application(office, "decide", row, by=SUPERVISOR)["days_waiting"] == 70
    office.wait(days=7)
    assert of_application(office, "pay", row, by=SUPERVISOR)["days_waiting"] == 77
    office.wait(days=50)
    closed = of_application(office, "close", row, by=SUPERVISOR)
    assert (closed["status"], closed["days_waiting"]) == (WelfareStatus.CLOSED, 77)
    facts = [fact for fact in office.facts() if fact.kind == "welfare"]
    assert [fact.version for fact in facts] == list(range(1, len(facts) + 1))
    assert facts[-1].statistical_values() == {"month": "2026-03", "status": "closed", "benefit": "injury"}


def test_a_refusal_can_be_appealed_and_the_waiting_goes_on(office: Office) -> None:
    row = with_office(office)
    office.wait(days=10)
    refused = of_application(office, "decide", row, by=SUPERVISOR, decision="refused", remark="not in service")
    assert (refused["status"], refused["days_waiting"]) == (WelfareStatus.REFUSED, 10)
    office.wait(days=5)
    appealed = of_application(office, "appeal", row)
    assert (appealed["status"], appealed["days_waiting"]) == (WelfareStatus.APPEALED, 15)
    assert of_application(office, "hand_over", row)["status"] is WelfareStatus.WITH_OFFICE
    remark = of_application(office, "get", row)["remark"]
    assert remark == "not in service\n\nthe report was read wrongly"


def test_who_began_it_and_who_it_is_for_decide_nothing(office: Office) -> None:
    both = person("both", Role.UNIT_SUPERVISOR, Role.CASE_WORKER)
    row = life.apply(office, by=both, applicant_account=SUPERVISOR.id)
    of_application(office, "check", row)
    of_application(office, "submit", row)
    of_application(office, "hand_over", row)
    for involved in (both, SUPERVISOR):
        with pytest.raises(OwnAct):
            of_application(office, "decide", row, by=involved)
    with pytest.raises(OwnAct):
        of_application(office, "check", row, by=SUPERVISOR)
    assert of_application(office, "decide", row, by=DIRECTOR)["status"] is WelfareStatus.APPROVED
    with pytest.raises(OwnAct):
        of_application(office, "pay", row, by=both)


def test_who_applies_is_sealed_read_with_a_line_in_the_audit_log_and_in_no_list_or_fact(office: Office) -> None:
    row = life.apply(office, applicant_name="Captain G", applicant_phone="0770 111", remark="widow")
    listed = office.do(handlers.list_welfare, WelfareQuery, HANDLER).items
    assert "applicant_name" not in WelfareView().dump(listed[0])
    assert office.audited() == []
    assert of_application(office, "get", row)["applicant_name"] == "Captain G"
    assert office.audited() == [(HANDLER.id, "read_welfare", row["id"], "allowed", None)]
    with office.database.read() as session:
        stored = session.exec(select(WelfareApplication)).one()
    for mark in (b"Captain", b"0770", b"widow"):
        assert mark not in stored.sealed
        assert not any(mark in fact.operational + fact.statistical for fact in office.facts())


def test_a_unit_keeps_its_own_applications_and_the_director_sees_all(office: Office) -> None:
    row = life.apply(office)
    assert [each["id"] for each in office.do(handlers.list_welfare, WelfareQuery, DIRECTOR).items] == [row["id"]]
    for stranger in (OTHER_SUPERVISOR, ADMIN):
        assert office.do(handlers.list_welfare, WelfareQuery, stranger).items == []
        with pytest.raises(WelfareNotFound):
            of_application(office, "get", row, by=stranger)
    with pytest.raises(Forbidden):
        life.apply(office, by=person("odd", Role.NODE_ADMIN, Role.INTAKE_OFFICER))
    with pytest.raises(UnitNeeded):
        life.apply(office, by=person("hotline", Role.INTAKE_OFFICER, unit=None))
    assert life.apply(office, by=INTAKE)["number"].startswith("W-NI-2026-000002-")


def test_impossible_steps_and_stale_versions_are_refused(office: Office) -> None:
    row = life.apply(office)
    for step in ("hand_over", "decide", "appeal", "pay"):
        with pytest.raises(MoveRefused):
            of_application(office, step, row, by=SUPERVISOR)
    with pytest.raises(StaleVersion) as stale:
        of_application(office, "check", row, version=4)
    assert stale.value.details == {"yours": 4, "current": 1}
    before = len(office.facts())
    of_application(office, "close", row, by=SUPERVISOR)
    assert len(office.facts()) == before + 1


@pytest.mark.parametrize("benefit", Benefit)
@pytest.mark.parametrize("applicant", Applicant)
def test_every_application_has_a_checklist_in_the_order_of_the_list(benefit: Benefit, applicant: Applicant) -> None:
    documents = needed(benefit, applicant)
    assert {Document.APPLICATION_FORM, Document.IDENTITY_CARD, Document.SERVICE_RECORD} <= set(documents)
    assert documents == [each for each in Document if each in documents]


def test_a_change_of_the_nodes_identity_key_keeps_who_applies_readable(office: Office, tmp_path: Path) -> None:
    new_secret(tmp_path / IDENTITY_KEY)
    office.database.info[VAULT] = Vault.at(tmp_path)
    row = life.apply(office, applicant_name="Captain G")
    (tmp_path / IDENTITY_KEY).rename(tmp_path / FORMER_KEY)
    new_secret(tmp_path / IDENTITY_KEY)
    vault = office.database.info[VAULT] = Vault.at(tmp_path)
    assert office.run(lambda session: sealing.wrap_anew(session, limit=10)) == 1
    assert office.run(lambda session: sealing.wrap_anew(session, limit=10)) == 0
    (tmp_path / FORMER_KEY).unlink()
    vault.reload()
    assert of_application(office, "get", row)["applicant_name"] == "Captain G"
