"""E-mail that is due, taken up, handed over and settled: on both databases, with a real mail server."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from contracts.roles import Role
from deploy.ports import free_port
from kernel.database import Database
from kernel.errors import MoveRefused
from services.notify import outgoing
from services.notify.handlers import deliveries, facts
from services.notify.handlers.deliveries import DeliveryNotFound
from services.notify.mail import MailServer
from services.notify.model import LEASE, Cause, DeliveryState, Outcome, Parcel
from services.notify.tables import DeliveryRow
from tests.conftest import MakeDatabase
from tests.services.notify.facts import NODE, NOON, POLICY, RETRIES, case_fact, know
from tests.services.notify.mail_host import Behaviour, MailHost, mail_host, said


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    made = make_database("notify")
    with made.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER)
    return made


@pytest.fixture
def host() -> Iterator[MailHost]:
    with mail_host() as running:
        yield running


def write_one(database: Database) -> None:
    with database.write() as session:
        fact = case_fact("assigned", handler="officer")
        facts.take_fact(session, fact, node=NODE, mails=True, policy=POLICY, now=NOON)


def send(database: Database, server: MailServer, at: datetime = NOON) -> int:
    return outgoing.send_due(database, server, retries=RETRIES, now=lambda: at)


def only(database: Database) -> DeliveryRow:
    with database.read() as session:
        return session.exec(select(DeliveryRow)).one()


def take_up(database: Database, at: datetime = NOON) -> Parcel:
    with database.write() as session:
        parcel = deliveries.take_next(session, retries=RETRIES, now=at)
    assert isinstance(parcel, Parcel)
    return parcel


def settle(database: Database, parcel: Parcel, outcome: Outcome, at: datetime = NOON) -> DeliveryRow:
    with database.write() as session:
        return deliveries.settle(session, parcel, outcome, retries=RETRIES, now=at)


def test_an_e_mail_goes_out_once_and_says_no_more_than_a_number(database: Database, host: MailHost) -> None:
    write_one(database)
    assert [send(database, host.server()), send(database, host.server())] == [1, 0]
    (message,) = host.messages
    assert message["To"] == "officer@ninewa.test"
    assert "NI-2026-000123-L" in said(message)
    everything = message.as_string() + said(message)
    for content in ("theft", "fraud", "mosul", "walk_in", "unit-1", "low"):
        assert content not in everything.casefold()
    row = only(database)
    assert (row.state, row.attempts, row.sent_at, row.cause) == ("sent", 1, NOON, None)


def test_a_server_that_is_away_delays_an_e_mail_and_keeps_the_attempts_of_the_others(database: Database) -> None:
    for _ in range(3):
        write_one(database)
    nobody = MailServer("127.0.0.1", free_port(), "jisr@ninewa.test", starttls=False)
    assert send(database, nobody) == 1, "the next one would fare the same"
    with database.read() as session:
        rows = sorted(session.exec(select(DeliveryRow)).all(), key=lambda row: row.attempts)
    assert [row.attempts for row in rows] == [0, 0, 1]
    assert rows[2].next_at == NOON + RETRIES[0]
    assert rows[2].cause == "unreachable"


def test_when_the_server_is_back_everything_that_waited_goes_out(database: Database, host: MailHost) -> None:
    write_one(database)
    send(database, MailServer("127.0.0.1", free_port(), "jisr@ninewa.test", starttls=False))
    assert send(database, host.server(), NOON + RETRIES[0] - timedelta(seconds=1)) == 0
    assert send(database, host.server(), NOON + RETRIES[0]) == 1
    assert only(database).state == "sent"


def test_a_refusing_server_is_tried_again_later_and_later_and_then_given_up(database: Database, host: MailHost) -> None:
    write_one(database)
    host.behaviour = Behaviour(to_recipient="450 Greylisted")
    at = NOON
    for wait in RETRIES:
        assert send(database, host.server(), at) == 1
        at += wait
    assert only(database).state == "waiting"
    send(database, host.server(), at)
    row = only(database)
    assert (row.state, row.cause, row.reply, row.next_at) == ("dead", "refused_recipient", 450, None)
    assert row.attempts == len(RETRIES) + 1


def test_a_mailbox_that_is_not_there_is_not_tried_again(database: Database, host: MailHost) -> None:
    write_one(database)
    host.behaviour = Behaviour(to_recipient="550 No such mailbox")
    send(database, host.server())
    row = only(database)
    assert (row.state, row.cause, row.reply) == ("dead", "refused_recipient", 550)


def test_an_e_mail_without_an_answer_goes_out_again_under_the_same_message_id(
    database: Database, host: MailHost
) -> None:
    write_one(database)
    host.behaviour = Behaviour(hangs_up=True)
    send(database, host.server())
    assert (only(database).state, only(database).cause) == ("waiting", "unconfirmed")
    host.behaviour = Behaviour()
    send(database, host.server(), NOON + RETRIES[0])
    first, second = host.messages
    assert first["Message-ID"] == second["Message-ID"] == only(database).message_id
    assert only(database).state == "sent"


def test_an_e_mail_whose_sender_died_is_taken_up_again_after_its_lease(database: Database, host: MailHost) -> None:
    write_one(database)
    take_up(database)  # and then the process dies: nobody settles it
    assert send(database, host.server(), NOON + LEASE - timedelta(seconds=1)) == 0, "it may still be talking"
    assert send(database, host.server(), NOON + LEASE) == 1
    assert only(database).state == "sent"


def test_an_e_mail_that_is_lost_again_and_again_is_given_up_as_unconfirmed(database: Database) -> None:
    write_one(database)
    at = NOON
    for _ in range(len(RETRIES) + 1):
        take_up(database, at)
        at += LEASE
    with database.write() as session:
        row = deliveries.take_next(session, retries=RETRIES, now=at)
    assert isinstance(row, DeliveryRow)
    assert (row.state, row.cause) == (DeliveryState.DEAD, Cause.UNCONFIRMED)


def test_an_attempt_that_lost_its_lease_cannot_undo_a_later_one(database: Database) -> None:
    write_one(database)
    slow = take_up(database)
    quick = take_up(database, NOON + LEASE)
    settle(database, slow, Outcome(Cause.REFUSED_RECIPIENT, 550))
    assert only(database).state == "sending", "the second attempt goes on"
    settle(database, quick, Outcome())
    settle(database, slow, Outcome(Cause.TIMED_OUT))
    assert only(database).state == "sent"


def test_an_attempt_that_lost_its_lease_but_succeeded_ends_the_matter(database: Database) -> None:
    write_one(database)
    slow = take_up(database)
    quick = take_up(database, NOON + LEASE)
    settle(database, slow, Outcome())
    assert only(database).state == "sent"
    assert settle(database, quick, Outcome(Cause.TIMED_OUT)).state == "sent"


def test_two_senders_never_take_up_the_same_e_mail_at_once(database: Database) -> None:
    write_one(database)
    take_up(database)
    with database.write() as session:
        assert deliveries.take_next(session, retries=RETRIES, now=NOON) is None


@pytest.mark.parametrize(
    ("change", "cause"), [({"active": False}, "account_inactive"), ({"email": None}, "no_address")]
)
def test_the_account_is_looked_at_when_the_e_mail_is_sent(
    database: Database, host: MailHost, change: dict[str, object], cause: str
) -> None:
    write_one(database)
    with database.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER, version=2, **change)
    send(database, host.server())
    assert host.messages == []
    assert (only(database).state, only(database).cause) == ("dropped", cause)


def test_an_e_mail_is_written_in_the_language_that_its_reader_has_now(database: Database, host: MailHost) -> None:
    write_one(database)
    with database.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER, version=2, language="ckb")
    send(database, host.server())
    assert "کەیسێک" in said(host.messages[0])


def test_a_dead_e_mail_is_counted_listed_and_replayed(database: Database, host: MailHost) -> None:
    write_one(database)
    host.behaviour = Behaviour(to_data="554 Rejected as spam")
    send(database, host.server())
    with database.write() as session:
        assert deliveries.count_dead(session) == 1
        (dead,) = deliveries.list_deliveries(session, state="dead", limit=9, after=None).items
        assert deliveries.rules_of(session, [dead]) == {dead.notification_id: "case_assigned"}
        deliveries.replay_delivery(session, dead.id, now=NOON)
        assert deliveries.count_dead(session) == 0
    host.behaviour = Behaviour()
    assert send(database, host.server()) == 1
    assert only(database).state == "sent"


def test_only_what_is_dead_or_dropped_can_be_replayed(database: Database) -> None:
    write_one(database)
    with database.write() as session:
        with pytest.raises(MoveRefused):
            deliveries.replay_delivery(session, only(database).id, now=NOON)
        with pytest.raises(DeliveryNotFound):
            deliveries.replay_delivery(session, "nothing", now=NOON)


def test_a_pass_is_bounded(database: Database, host: MailHost) -> None:
    for _ in range(3):
        write_one(database)
    assert outgoing.send_due(database, host.server(), retries=RETRIES, most=2, now=lambda: NOON) == 2
    assert outgoing.send_due(database, host.server(), retries=RETRIES, seconds=0, now=lambda: NOON) == 0


def test_others_can_write_while_the_mail_server_thinks(database: Database, host: MailHost) -> None:
    write_one(database)
    host.meanwhile = lambda: write_one(database)  # would wait for the sender's transaction, were one open
    assert outgoing.send_due(database, host.server(), retries=RETRIES, most=1, now=lambda: NOON) == 1
    with database.read() as session:
        rows = session.exec(select(DeliveryRow).order_by(DeliveryRow.id)).all()
    assert [row.state for row in rows] == ["sent", "waiting"]
