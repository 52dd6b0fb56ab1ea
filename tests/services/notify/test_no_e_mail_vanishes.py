"""Whatever mail servers and processes do, an e-mail is waiting, sent, or ended with a cause."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from contracts.roles import Role
from kernel.database import Database
from services.notify.handlers import deliveries, facts
from services.notify.model import LEASE, Cause, Outcome, Parcel
from services.notify.tables import DeliveryRow
from tests.conftest import MakeDatabase
from tests.services.notify.facts import NODE, NOON, POLICY, RETRIES, case_fact, know

OUTCOMES = st.builds(Outcome, st.none() | st.sampled_from(Cause), st.none() | st.sampled_from([421, 450, 535, 550]))
STEPS = st.one_of(st.just("die"), OUTCOMES)  # the sender dies before it settles, or writes an outcome down
WAITS = st.sampled_from([timedelta(), timedelta(minutes=3), LEASE, timedelta(hours=30)])
HISTORIES = st.lists(st.tuples(STEPS, WAITS), max_size=15)


def write_one(database: Database) -> str:
    with database.write() as session:
        fact = case_fact("assigned", handler="officer")
        facts.take_fact(session, fact, node=NODE, mails=True, policy=POLICY, now=NOON)
        rows = session.exec(select(DeliveryRow).where(DeliveryRow.state == "waiting")).all()
        return max(row.id for row in rows)


def take_up(database: Database, at: datetime) -> Parcel | DeliveryRow | None:
    with database.write() as session:
        return deliveries.take_next(session, retries=RETRIES, now=at)


def only(database: Database, delivery_id: str) -> DeliveryRow:
    with database.read() as session:
        return session.get_one(DeliveryRow, delivery_id)


def test_an_e_mail_goes_on_until_it_is_sent_or_ended_with_a_cause(make_sqlite_database: MakeDatabase) -> None:
    database = make_sqlite_database("notify")
    with database.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(HISTORIES)
    def check(history: list[tuple[str | Outcome, timedelta]]) -> None:
        delivery_id = write_one(database)
        at, sent = NOON, False
        for step, wait in history:
            parcel = take_up(database, at)
            if isinstance(parcel, Parcel) and isinstance(step, Outcome):
                sent = sent or step.sent
                with database.write() as session:
                    deliveries.settle(session, parcel, step, retries=RETRIES, now=at)
            row = only(database, delivery_id)
            assert (row.state == "sent") == sent
            assert (row.next_at is not None) == (row.state in ("waiting", "sending"))
            assert row.state != "dead" or row.cause is not None
            assert row.attempts <= len(RETRIES) + 1
            at += wait
        finish(database, at)
        assert only(database, delivery_id).state in ("sent", "dead")

    check()


def finish(database: Database, at: datetime) -> None:
    """Go on with a mail server that accepts, until nothing is open."""
    later = at + timedelta(days=2)
    while (parcel := take_up(database, later)) is not None:
        if isinstance(parcel, Parcel):
            with database.write() as session:
                deliveries.settle(session, parcel, Outcome(), retries=RETRIES, now=later)


def test_many_senders_at_once_take_up_each_e_mail_once(make_database: MakeDatabase) -> None:
    database = make_database("notify")
    with database.write() as session:
        know(session, "officer", Role.COMMUNITY_OFFICER)
    written = {write_one(database) for _ in range(12)}
    with ThreadPoolExecutor(4) as senders:
        taken = list(senders.map(lambda _: take_up(database, NOON), range(16)))
    parcels = [parcel.delivery_id for parcel in taken if isinstance(parcel, Parcel)]
    assert sorted(parcels) == sorted(written)
