"""From a fact to an inbox, on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import select

from contracts.case.words import CategoryGroup
from contracts.roles import Role
from kernel.crypto import hashed_id
from kernel.database import Database
from kernel.errors import Forbidden
from kernel.fact import Fact
from services.notify.handlers import facts, inbox
from services.notify.handlers.contacts import directory, put_contact
from services.notify.handlers.inbox import NotificationNotFound
from services.notify.tables import ContactRow, DeliveryRow, NotificationRow
from tests.conftest import MakeDatabase
from tests.services.notify.facts import HASH_KEY, NODE, NOON, POLICY, THE_GATEWAY, account, actor, case_fact, know

OFFICER = actor("officer", Role.COMMUNITY_OFFICER)


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    made = make_database("notify")
    with made.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER)
        know(session, "supervisor", Role.UNIT_SUPERVISOR, email=None)
    return made


def take(database: Database, fact: Fact, *, mails: bool = True) -> int:
    with database.write() as session:
        return len(facts.take_fact(session, fact, node=NODE, mails=mails, policy=POLICY, now=NOON))


def e_mails(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(DeliveryRow)).all())


def test_an_assigned_case_stands_in_its_handlers_inbox_by_number_alone(database: Database) -> None:
    fact = case_fact("assigned", handler="officer")
    assert take(database, fact) == 1
    with database.read() as session:
        (row,) = inbox.list_notifications(session, by=OFFICER, unread=None, limit=10, after=None).items
        assert (row.rule, row.about, row.subject, row.reference) == (
            "case_assigned",
            "case",
            fact.subject,
            "NI-2026-000123-L",
        )
        assert inbox.count_unread(session, by=OFFICER) == 1


def test_a_fact_that_comes_twice_notifies_once(database: Database) -> None:
    fact = case_fact("assigned", handler="officer")
    assert [take(database, fact), take(database, fact)] == [1, 0]
    assert e_mails(database) == 1


def test_a_fact_whose_handling_failed_is_handled_when_it_comes_again(database: Database) -> None:
    fact = case_fact("assigned", handler="officer")

    def fail() -> None:
        with database.write() as session:
            facts.take_fact(session, fact, node=NODE, mails=True, policy=POLICY, now=NOON)
            raise RuntimeError("the process died before the commit")

    with pytest.raises(RuntimeError):
        fail()
    assert take(database, fact) == 1


def test_no_e_mail_is_written_without_an_address_or_without_a_mail_server(database: Database) -> None:
    assert take(database, case_fact("opened")) == 1
    assert e_mails(database) == 0, "the supervisor has no address"
    assert take(database, case_fact("assigned", handler="officer"), mails=False) == 1
    assert e_mails(database) == 0


def test_old_news_is_told_without_an_e_mail_and_very_old_news_not_at_all(database: Database) -> None:
    assert take(database, case_fact("assigned", handler="officer", at=NOON - timedelta(days=10))) == 1
    assert e_mails(database) == 0
    assert take(database, case_fact("assigned", handler="officer", at=NOON - timedelta(days=31))) == 0


def test_a_restricted_case_notifies_like_any_other(database: Database) -> None:
    assert take(database, case_fact("assigned", handler="officer", category_group=CategoryGroup.PROTECTION)) == 1


def test_an_account_that_was_disabled_is_told_nothing(database: Database) -> None:
    with database.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER, version=2, active=False)
    assert take(database, case_fact("assigned", handler="officer")) == 0


def test_a_fact_that_concerns_nobody_leaves_no_trace(database: Database) -> None:
    fact = case_fact("noted", handler="officer")
    assert take(database, fact) == 0
    with database.read() as session:
        assert facts.unseen(session, [fact], arrived=False) == []


def test_unseen_facts_are_those_that_were_not_handled(database: Database) -> None:
    seen, unseen = case_fact("assigned", handler="officer"), case_fact("assigned", handler="officer")
    take(database, seen)
    with database.read() as session:
        assert facts.unseen(session, [seen, unseen], arrived=False) == [unseen]


def test_an_inbox_is_newest_first_paged_and_filtered(database: Database) -> None:
    for _ in range(5):
        take(database, case_fact("assigned", handler="officer"))
    with database.write() as session:
        first = inbox.list_notifications(session, by=OFFICER, unread=None, limit=2, after=None)
        second = inbox.list_notifications(session, by=OFFICER, unread=None, limit=2, after=first.next)
        third = inbox.list_notifications(session, by=OFFICER, unread=None, limit=2, after=second.next)
        ids = [row.id for found in (first, second, third) for row in found.items]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 5
        assert third.next is None
        inbox.read_notification(session, ids[0], by=OFFICER, now=NOON)
    with database.read() as session:
        assert inbox.count_unread(session, by=OFFICER) == 4
        read = inbox.list_notifications(session, by=OFFICER, unread=False, limit=9, after=None)
        assert [row.id for row in read.items] == ids[:1]
        unread = inbox.list_notifications(session, by=OFFICER, unread=True, limit=9, after=None)
        assert [row.id for row in unread.items] == ids[1:]


def test_reading_again_keeps_the_time_of_the_first_reading(database: Database) -> None:
    take(database, case_fact("assigned", handler="officer"))
    with database.write() as session:
        (row,) = session.exec(select(NotificationRow)).all()
        inbox.read_notification(session, row.id, by=OFFICER, now=NOON)
        inbox.read_notification(session, row.id, by=OFFICER, now=NOON + timedelta(hours=1))
        assert row.read_at == NOON


def test_somebody_elses_notification_is_as_if_it_were_not_there(database: Database) -> None:
    take(database, case_fact("assigned", handler="officer"))
    with database.write() as session:
        (row,) = session.exec(select(NotificationRow)).all()
        with pytest.raises(NotificationNotFound):
            inbox.read_notification(session, row.id, by=actor("supervisor", Role.UNIT_SUPERVISOR), now=NOON)


def test_only_the_gateway_itself_tells_of_accounts(database: Database) -> None:
    admin = actor("admin", Role.NODE_ADMIN)
    with database.write() as session, pytest.raises(Forbidden):
        put_contact(session, account("x"), by=admin, hash_key=HASH_KEY, now=NOON)


def test_a_late_repeat_of_an_older_account_changes_nothing(database: Database) -> None:
    with database.write() as session:
        know(session, "officer", Role.CASE_WORKER, version=3, email="new@ninewa.test")
        know(session, "officer", Role.COMMUNITY_OFFICER, version=2, email="old@ninewa.test")
    with database.read() as session:
        row = session.get_one(ContactRow, "officer")
        assert (row.version, row.email, row.roles) == (3, "new@ninewa.test", ["case_worker"])


def test_a_contact_is_found_by_the_hash_that_facts_name_it_by(database: Database) -> None:
    with database.read() as session:
        (found,) = directory(session).hashed(hashed_id(HASH_KEY, "officer"))
        assert found.account_id == "officer"


def test_an_account_may_be_told_of_again_with_the_same_version(database: Database) -> None:
    with database.write() as session:
        row = put_contact(session, account("officer", email="x@y.test"), by=THE_GATEWAY, hash_key=HASH_KEY, now=NOON)
        assert row.email == "officer@ninewa.test", "the same version is the same account"
