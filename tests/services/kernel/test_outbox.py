"""The outbox: what was committed reaches the recorder, in order, and leaves only when it is held."""

import threading
from collections.abc import Callable, Iterator

import msgspec
import pytest
from marshmallow import fields
from sqlalchemy import text

from deploy.rabbitmq import PrivateRabbitMQ
from kernel import broker, outbox
from kernel.clock import now
from kernel.database import Database
from kernel.errors import BrokerAway, TooLarge
from kernel.fact import Fact, FactSchema, compose, statistical, unpack
from kernel.ids import new_id
from tests.conftest import MakeDatabase
from tests.kit import wait
from tests.kit.rabbitmq import Vhost, new_vhost


class Counted(FactSchema):
    kind = "test_counted"
    number = statistical(fields.Integer(required=True))


def commit(database: Database, *numbers: int) -> None:
    for number in numbers:
        with database.write() as session:
            fact = compose(
                Counted, "made", id=new_id(), subject=f"s{number}", version=1, values={"number": number}, at=now()
            )
            outbox.append(session, fact)


class Recorder:
    """The other side: takes slices in order, as the engine's recorder does, and answers what it holds."""

    def __init__(self, vhost: Vhost) -> None:
        self._vhost = vhost
        self.held: dict[str, int] = {}
        self.last: dict[str, str] = {}
        self._ids: set[str] = set()
        self.taken: list[int] = []
        with vhost.channel() as channel:
            broker.declare_work_queue(channel, broker.RECORDER, broker.FACTS, ["#"])

    def take(self) -> None:
        """Take what waits on the queue; answer once for all of it."""
        while (body := self._vhost.get(broker.RECORDER)) is not None:
            self.take_slice(outbox.read_slice(body))

    def take_slice(self, slice_: outbox.Slice) -> None:
        held = self.held.get(slice_.stream, 0)
        gap = slice_.first > held + 1
        if slice_.first <= held + 1:
            facts = [unpack(bytes(raw)) for raw in slice_.facts][held + 1 - slice_.first :]
            self.taken += [fact.statistical_values()["number"] for fact in facts if fact.id not in self._ids]
            self._ids |= {fact.id for fact in facts}
            held += len(facts)
            if facts:
                self.last[slice_.stream] = facts[-1].id
        self.held[slice_.stream] = held
        self.answer(slice_, gap)

    def restore(self, number: int, fact_id: str) -> None:
        """The journal comes back from a backup in which only `number` was held."""
        for stream in self.held:
            self.held[stream], self.last[stream] = number, fact_id

    def answer(self, slice_: outbox.Slice, gap: bool) -> None:
        recorded = outbox.Recorded(slice_.stream, self.held[slice_.stream], self.last.get(slice_.stream, ""), gap)
        body = msgspec.json.encode(recorded)
        with self._vhost.channel() as channel:
            channel.basic_publish("", broker.recorded_queue(slice_.service), body)


def waiting(database: Database) -> int:
    with database.read() as session:
        return outbox.pending(session).count


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("case")


@pytest.fixture
def relay(database: Database, vhost: Vhost) -> Iterator[outbox.Relay]:
    made = outbox.Relay(database, vhost.url)
    yield made
    made.close()


def pump(relay: outbox.Relay, recorder: Recorder, done: Callable[[], bool]) -> None:
    def step() -> bool:
        relay.relay_once()
        recorder.take()
        return done()

    wait.until(step, seconds=60, what="the recorder holds everything")


def test_committed_facts_reach_the_recorder_in_order_and_leave(
    database: Database, vhost: Vhost, relay: outbox.Relay
) -> None:
    recorder = Recorder(vhost)
    commit(database, *range(1, 30))
    pump(relay, recorder, lambda: waiting(database) == 0)
    assert recorder.taken == list(range(1, 30))


def test_nothing_leaves_before_the_recorder_holds_it(database: Database, vhost: Vhost, relay: outbox.Relay) -> None:
    Recorder(vhost)
    commit(database, 1, 2, 3)
    for _ in range(3):
        relay.relay_once()
    assert waiting(database) == 3


def test_without_a_recorders_queue_the_relay_says_that_nobody_takes_it(database: Database, relay: outbox.Relay) -> None:
    commit(database, 1)
    with pytest.raises(BrokerAway, match="No queue takes"):
        wait.until(lambda: relay.relay_once(idle=1.0) < 0, seconds=60, what="the message has come back")
    assert waiting(database) == 1


def test_two_relays_on_one_outbox_record_each_fact_once(database: Database, vhost: Vhost, relay: outbox.Relay) -> None:
    recorder = Recorder(vhost)
    other = Database(database.engine.url.render_as_string(hide_password=False), service="case")
    second = outbox.Relay(other, vhost.url)
    commit(database, *range(1, 20))

    def step() -> bool:
        relay.relay_once()
        second.relay_once()
        recorder.take()
        return waiting(database) == 0

    wait.until(step, seconds=60, what="both relays are done")
    assert recorder.taken == list(range(1, 20))
    second.close()
    other.close()


def test_concurrent_commits_are_numbered_densely(database: Database, vhost: Vhost, relay: outbox.Relay) -> None:
    recorder = Recorder(vhost)
    writers = [threading.Thread(target=commit, args=(database, *range(start, start + 10))) for start in (0, 100, 200)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        relay.relay_once()
        recorder.take()
    pump(relay, recorder, lambda: waiting(database) == 0)
    assert sorted(recorder.taken) == [*range(10), *range(100, 110), *range(200, 210)]
    for start in (0, 100, 200):
        own = [number for number in recorder.taken if start <= number < start + 10]
        assert own == sorted(own)


def test_an_answer_that_was_lost_costs_a_repeat_and_nothing_else(
    database: Database, vhost: Vhost, relay: outbox.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.2)
    recorder = Recorder(vhost)
    monkeypatch.setattr(recorder, "answer", lambda slice_, gap: None)
    commit(database, 1, 2, 3)
    relay.relay_once()
    recorder.take()
    assert waiting(database) == 3
    monkeypatch.undo()
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.2)
    pump(relay, recorder, lambda: waiting(database) == 0)
    assert recorder.taken == [1, 2, 3]


def test_a_database_restored_from_a_backup_begins_a_new_stream(
    database: Database, vhost: Vhost, relay: outbox.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.2)
    recorder = Recorder(vhost)
    commit(database, 1, 2, 3)
    pump(relay, recorder, lambda: waiting(database) == 0)
    with database.write() as session:
        session.execute(text("UPDATE outbox_stream SET numbered = 1, acknowledged = 1"))
    commit(database, 4, 5)
    pump(relay, recorder, lambda: waiting(database) == 0)
    assert recorder.taken == [1, 2, 3, 4, 5]
    assert len(recorder.held) == 2


def test_a_journal_restored_from_a_backup_takes_what_the_outbox_still_has(
    database: Database, vhost: Vhost, relay: outbox.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0.2)
    recorder = Recorder(vhost)
    commit(database, 1, 2, 3)
    pump(relay, recorder, lambda: waiting(database) == 0)
    recorder.restore(1, "the first")
    commit(database, 4, 5)
    pump(relay, recorder, lambda: waiting(database) == 0)
    assert recorder.taken == [1, 2, 3, 4, 5]


def test_a_fact_that_the_recorder_would_refuse_is_refused_before_it_waits(database: Database) -> None:
    huge = Fact(head=b'{"id":"f","audience":[]}', statistical=b'{"x":"' + b"x" * 300_000 + b'"}')
    with pytest.raises(TooLarge), database.write() as session:
        outbox.append(session, huge)
    assert waiting(database) == 0


def test_a_broker_that_is_away_loses_nothing_and_the_relay_says_so(make_database: MakeDatabase) -> None:
    database = make_database("case")
    commit(database, 1)
    away = outbox.Relay(database, "amqp://nobody:nothing@127.0.0.1:1/none")
    with pytest.raises(BrokerAway):
        away.relay_once()
    assert waiting(database) == 1


def test_a_broker_whose_data_was_deleted_gets_everything_again(
    make_sqlite_database: MakeDatabase, own_rabbitmq: PrivateRabbitMQ
) -> None:
    database = make_sqlite_database("case")
    vhost = new_vhost(own_rabbitmq, "lost")
    recorder = Recorder(vhost)
    relay = outbox.Relay(database, vhost.url)
    commit(database, 1, 2, 3)
    relay.relay_once()
    own_rabbitmq.kill()
    own_rabbitmq.delete_data()
    own_rabbitmq.start()
    own_rabbitmq.add_vhost("lost", user=vhost.user, password=vhost.password)
    again = Recorder(vhost)

    def step() -> bool:
        try:
            relay.relay_once()
        except BrokerAway:
            return False
        again.take()
        return waiting(database) == 0

    wait.until(step, seconds=60, what="the new broker has brought everything over")
    assert (recorder.taken, again.taken) == ([], [1, 2, 3])
    relay.close()


def test_a_broker_with_a_disk_alarm_holds_the_relay_for_seconds_only(
    make_sqlite_database: MakeDatabase, own_rabbitmq: PrivateRabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "BLOCKED_SECONDS", 1)
    database = make_sqlite_database("case")
    vhost = new_vhost(own_rabbitmq, "alarmed")
    recorder = Recorder(vhost)
    relay = outbox.Relay(database, vhost.url)
    own_rabbitmq.set_disk_alarm(True)
    commit(database, 1)

    def refused() -> bool:
        try:
            relay.relay_once()
        except BrokerAway:
            return True
        return False

    wait.until(refused, seconds=60, what="the relay gives up waiting for the alarmed broker")
    assert waiting(database) == 1
    own_rabbitmq.set_disk_alarm(False)

    def step() -> bool:
        if refused():
            return False
        recorder.take()
        return waiting(database) == 0

    wait.until(step, seconds=60, what="facts flow after the alarm")
    assert recorder.taken == [1]
    relay.close()


def test_a_relay_survives_what_nobody_expected(
    make_sqlite_database: MakeDatabase, vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make_sqlite_database("case")
    recorder = Recorder(vhost)
    relay = outbox.Relay(database, vhost.url)
    monkeypatch.setattr(outbox, "RETRY_SECONDS", (0.05,))
    failed: list[int] = []

    def fail_twice(session: object, limit: int) -> int:
        if len(failed) < 2:
            failed.append(1)
            raise RuntimeError
        return number_rows(session, limit)  # type: ignore[arg-type]

    number_rows = outbox.number_rows
    monkeypatch.setattr(outbox, "number_rows", fail_twice)
    relay.start()
    commit(database, 1)

    def done() -> bool:
        recorder.take()
        return waiting(database) == 0

    wait.until(done, seconds=60, what="the fact is recorded in spite of two failures")
    assert (failed, recorder.taken) == ([1, 1], [1])
    relay.stop()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff\xfe", b'{"service":"case","stream":"s","first":0,"facts":[{}]}']
)
def test_a_message_that_is_no_slice_is_refused(body: bytes) -> None:
    with pytest.raises(outbox.NotASlice):
        outbox.read_slice(body)


def test_dead_letters_are_listed_without_content_and_replayed_in_order(vhost: Vhost) -> None:
    with vhost.channel() as channel:
        broker.declare_work_queue(channel, "notify.facts", broker.FACTS, ["case"])
        for number in range(3):
            broker.bury(channel, "notify.facts", b'{"secret":%d}' % number, "not_a_fact")
    letters = broker.dead_letters(vhost.url, "notify.facts")
    assert [letter["cause"] for letter in letters] == ["not_a_fact"] * 3
    assert "secret" not in str(letters)
    assert broker.replay_dead(vhost.url, "notify.facts") == 3
    assert [vhost.get("notify.facts") for _ in range(4)] == [*(b'{"secret":%d}' % number for number in range(3)), None]
    assert broker.dead_letters(vhost.url, "notify.facts") == []
