"""The journal on both databases: dense, chained, once."""

import pytest
from sqlmodel import select

from kernel.database import Database
from kernel.errors import BadInput
from kernel.fact import unpack
from services.sync import journal, records
from services.sync.position import advance, start
from services.sync.tables import JournalEntry, Record
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact, slice_of

NODE = "ninewa"


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    made = make_database("sync")
    with made.write() as session:
        journal.begin(session, NODE)
    return made


def append(database: Database, *bodies: bytes) -> journal.Appended:
    with database.write() as session:
        return journal.append(session, [journal.take(body) for body in bodies], origin=NODE, now=NOW)


def test_facts_get_dense_numbers_and_a_chain_that_can_be_followed(database: Database) -> None:
    facts = [fact() for _ in range(5)]
    done = append(database, slice_of(facts[:2]), slice_of(facts[2:], first=3))
    with database.read() as session:
        entries = journal.read_after(session, 0, 10**6, 100)
        followed = start(NODE, 1)
        for entry, _ in entries:
            followed = advance(followed, entry.leaf)
        assert [entry.number for entry, _ in entries] == [1, 2, 3, 4, 5]
        assert followed == done.head == journal.head(session, NODE)
        assert journal.position_at(session, NODE, 5) == followed


def test_the_parts_are_kept_byte_for_byte(database: Database) -> None:
    one = fact(restricted=True)
    append(database, slice_of([one]))
    with database.read() as session:
        ((number, envelope),) = journal.facts_after(session, 0, 10)
    assert (number, unpack(envelope)) == (1, one)


def test_a_repeated_slice_changes_nothing_and_is_answered(database: Database) -> None:
    body = slice_of([fact(), fact()])
    first = append(database, body)
    again = append(database, body)
    assert again.head == first.head
    assert again.answers == {("case", "stream-1"): 2}
    assert again.results == {("case", "repeated"): 2}


def test_of_an_overlapping_slice_only_the_new_part_is_taken(database: Database) -> None:
    facts = [fact() for _ in range(4)]
    append(database, slice_of(facts[:3]))
    done = append(database, slice_of(facts[1:], first=2))
    assert done.head.number == 4
    assert done.answers == {("case", "stream-1"): 4}


def test_a_slice_after_a_gap_is_not_taken_and_the_answer_says_what_is_held(database: Database) -> None:
    facts = [fact() for _ in range(3)]
    append(database, slice_of(facts[:1]))
    done = append(database, slice_of(facts[2:], first=3))
    assert done.head.number == 1
    assert done.answers == {("case", "stream-1"): 1}


def test_a_fact_known_by_its_id_is_skipped_when_an_outbox_numbers_anew(database: Database) -> None:
    known, new = fact(), fact()
    append(database, slice_of([known]))
    done = append(database, slice_of([known, new], stream="stream-2"))
    assert done.head.number == 2
    assert done.answers == {("case", "stream-2"): 2}
    assert done.results == {("case", "skipped"): 1, ("case", "appended"): 1}


def test_two_services_share_the_journal_and_keep_their_own_numbers(database: Database) -> None:
    done = append(database, slice_of([fact()]), slice_of([fact(), fact()], service="forum", stream="stream-9"))
    assert done.head.number == 3
    assert done.answers == {("case", "stream-1"): 1, ("forum", "stream-9"): 2}


def test_the_same_id_twice_in_one_pass_is_one_entry(database: Database) -> None:
    one = fact()
    done = append(database, slice_of([one, one]))
    assert done.head.number == 1
    assert done.answers == {("case", "stream-1"): 2}


def test_the_node_folds_its_own_records(database: Database) -> None:
    opened = fact()
    closed = fact(opened.subject, version=2, type="case.closed.v1", statistical={"status": "closed"})
    append(database, slice_of([opened, closed]))
    with database.read() as session:
        (record,) = session.exec(select(Record)).all()
    assert (record.version, record.number, record.statistical["status"]) == (2, 2, "closed")
    assert record.operational["unit"] == "ninewa-1"


def test_an_older_version_never_replaces_a_newer(database: Database) -> None:
    opened = fact()
    closed = fact(opened.subject, version=2, statistical={"status": "closed"})
    append(database, slice_of([closed]))
    append(database, slice_of([opened], first=2))
    with database.read() as session:
        (record,) = session.exec(select(Record)).all()
    assert (record.version, record.number) == (2, 1)


def test_a_type_that_is_not_known_is_parked_and_the_chain_goes_on(database: Database) -> None:
    odd = fact(type="poem.written.v1")
    done = append(database, slice_of([odd, fact()]))
    assert done.head.number == 2
    with database.read() as session:
        assert records.parked_count(session, NODE) == 1
        assert len(session.exec(select(Record)).all()) == 1


def test_a_subject_is_no_longer_parked_once_a_later_entry_folds(database: Database) -> None:
    odd = fact(type="case.opened.v77")
    append(database, slice_of([odd]))
    append(database, slice_of([fact(odd.subject, version=2)], first=2))
    with database.read() as session:
        assert records.parked_count(session, NODE) == 0


def test_reading_stops_at_a_number_of_bytes_but_never_before_one_entry(database: Database) -> None:
    append(database, slice_of([fact() for _ in range(10)]))
    with database.read() as session:
        assert len(journal.read_after(session, 0, 1, 100)) == 1
        assert [entry.number for entry, _ in journal.read_after(session, 7, 10**6, 2)] == [8, 9]
        some = [entry.number for entry, _ in journal.read_after(session, 2, 1500, 100)]
        assert some in ([3, 4], [3, 4, 5])  # PostgreSQL counts the whole row
        assert [entry.number for entry, _ in journal.read_after(session, 4, 10**6, 100)] == list(range(5, 11))
        assert journal.read_after(session, 10, 10**6, 100) == []


def test_each_start_of_the_engine_is_a_new_session_of_the_same_journal(database: Database) -> None:
    append(database, slice_of([fact()]))
    with database.write() as session:
        life = journal.begin(session, NODE)
    assert (life.epoch, life.session, life.head.number) == (1, 2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'{"service":"case","stream":"s","first":0,"facts":[]}',
        b'{"service":"case","stream":"s","first":1,"facts":[{"head":{}}]}',
        slice_of([fact(subject="a b")]),
        slice_of([fact(subject="x" * 65)]),
        slice_of([fact(type="no type")]),
        slice_of([fact(version=2**60)]),
        slice_of([fact()], service="c\x00se"),
    ],
)
def test_what_is_no_slice_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadInput):
        journal.take(body)


def test_a_thousand_facts_are_appended_in_one_pass(database: Database) -> None:
    many = [fact() for _ in range(1000)]
    done = append(database, *(slice_of(many[at : at + 200], first=at + 1) for at in range(0, 1000, 200)))
    with database.read() as session:
        ids = session.exec(select(JournalEntry.fact_id).order_by(JournalEntry.number)).all()  # type: ignore[arg-type]
    assert done.head.number == 1000
    assert list(ids) == [one.id for one in many]
