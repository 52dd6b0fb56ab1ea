"""A bundle carries what the line would, whatever happens to the file; on both databases."""

import io
import itertools
from pathlib import Path

import pytest
from sqlmodel import Session, select

from contracts.topology import Clearance, LinkSpec
from kernel.crypto import SigningKey
from kernel.database import Database
from services.sync import arrivals, bundle, by_hand, journal
from services.sync.entry import Shown
from services.sync.handlers import link_row
from services.sync.message import Batch, open_message, ring
from services.sync.own_keys import OwnKeys
from services.sync.position import Position
from services.sync.tables import Quarantine, Record, Replica, ReplicaEntry
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact, slice_of
from tests.services.sync.replica_kit import Taker

DESTINATION = "directorate-baghdad"
SPEC = LinkSpec("ninewa", DESTINATION, Clearance.OPERATIONAL)
KEY = SigningKey(b"k" * 32)
RING = ring({"ninewa": KEY.verify_key})
FACTS = 40


@pytest.fixture
def origin(make_database: MakeDatabase) -> Database:
    """A node with a journal of forty facts, one of them for the destination by name."""
    database = make_database("sync")
    with database.write() as session:
        journal.begin(session, "ninewa")
        facts = [fact(audience=(DESTINATION,) if n == 20 else ()) for n in range(FACTS)]
        journal.append(session, [journal.take(slice_of(facts))], origin="ninewa", now=NOW)
    return database


def exported(origin: Database, into: Path, after: int | None = 0, until: int = FACTS, spec: LinkSpec = SPEC) -> Path:
    """A bundle of small batches: five entries in each."""
    chosen = by_hand.span(origin, spec, after)
    with into.open("wb") as out:
        header = bundle.Header(
            spec.origin, spec.destination, spec.clearance, 1, chosen.after.number, until, "now", "test"
        )
        bundle.write_header(out, header)
        place = chosen.after
        while place.number < until:
            batch = next_of(origin, spec, place)
            bundle.write_frame(out, *by_hand.sign(batch, KEY))
            place = batch.end
        bundle.write_end(out)
    return into


def next_of(origin: Database, spec: LinkSpec, place: Position) -> Batch:
    with origin.read() as session:
        batch = by_hand.next_batch(
            session, spec, 1, place, max_bytes=10**6, max_entries=5, relays_to=frozenset({"duhok"})
        )
    assert batch is not None
    return batch


def take(destination: Database, content: bytes | Path) -> by_hand.Imported:
    raw = content.read_bytes() if isinstance(content, Path) else content
    source = io.BytesIO(raw)
    header = bundle.read_header(source)

    def is_for(one: Shown) -> bool:
        return arrivals.is_for(DESTINATION, one, takes_unaddressed=False)

    return by_hand.take_in(destination, source, header.origin, keys=RING, is_for=is_for, clock=lambda: NOW)


def held(database: Database) -> Position:
    with database.read() as session:
        row = session.get(Replica, "ninewa")
    assert row is not None
    return Position(row.number, row.digest)


def head(database: Database) -> Position:
    with database.read() as session:
        return journal.head(session, "ninewa")


def records(session: Session) -> dict[str, object]:
    return {row.subject: (row.version, row.number, row.statistical) for row in session.exec(select(Record))}


def test_what_a_bundle_brings_is_what_the_line_would_bring(
    origin: Database, make_database: MakeDatabase, tmp_path: Path
) -> None:
    destination, file = make_database("sync"), tmp_path / "one.jisr"
    chosen = by_hand.span(origin, SPEC, None)
    by_hand.export(origin, OwnKeys.of(KEY), SPEC, chosen, file, relays_to=frozenset(), software="test", now=NOW)
    done = take(destination, file)
    assert (done.held, done.entries, done.problem) == (FACTS, FACTS, None)
    assert held(destination) == head(origin)
    with origin.read() as own, destination.read() as theirs:
        assert records(own) == records(theirs)
        assert arrivals.facts_from(theirs, 0, 10)["head"] == 1
        row = theirs.get(Replica, "ninewa")
    assert row is not None
    assert row.last_heard_at is None  # a file is no word from the origin: how far behind it is stays unknown


def test_a_bundle_shows_no_more_than_the_link(origin: Database, make_database: MakeDatabase, tmp_path: Path) -> None:
    destination = make_database("sync")
    spec = LinkSpec("ninewa", DESTINATION, Clearance.STATISTICAL)
    file = exported(origin, tmp_path / "one.jisr", spec=spec)
    assert take(destination, file).held == FACTS
    with destination.read() as session:
        assert set(session.scalars(select(ReplicaEntry.disclosure))) == {"statistical"}
    assert held(destination) == head(origin)


def test_a_bundle_given_twice_changes_nothing(origin: Database, make_database: MakeDatabase, tmp_path: Path) -> None:
    destination, file = make_database("sync"), exported(origin, tmp_path / "one.jisr")
    take(destination, file)
    again = take(destination, file)
    assert (again.entries, again.repeats, again.problem) == (0, FACTS // 5, None)


def test_bundles_and_the_line_come_to_the_same_in_any_order(
    origin: Database, make_sqlite_database: MakeDatabase, tmp_path: Path
) -> None:
    early = exported(origin, tmp_path / "early", 0, 25)
    late = exported(origin, tmp_path / "late", 20, 40)
    live = [next_of(origin, SPEC, place_at(origin, number)) for number in (15, 20, 0)]
    for order in itertools.permutations(("early", "late", "live")):
        destination = make_sqlite_database("sync")
        for _ in range(2):  # what was a gap the first time fits the second
            for each in order:
                if each == "live":
                    Taker(destination).take(*live)
                else:
                    take(destination, early if each == "early" else late)
        assert held(destination) == head(origin), order


def place_at(origin: Database, number: int) -> Position:
    with origin.read() as session:
        found = journal.position_at(session, "ninewa", number)
    assert found is not None
    return found


def test_a_bundle_cut_anywhere_brings_what_is_whole_and_can_be_finished(
    origin: Database, make_sqlite_database: MakeDatabase, tmp_path: Path
) -> None:
    whole = exported(origin, tmp_path / "one.jisr").read_bytes()
    source = io.BytesIO(whole)
    bundle.read_header(source)
    begins = source.tell()
    destination = make_sqlite_database("sync")
    for length in range(begins, len(whole), max(1, (len(whole) - begins) // 25)):
        done = take(destination, whole[:length])
        assert done.problem is not None
        assert "Copy it again" in done.problem
        assert done.held % 5 == 0
    done = take(destination, whole)
    assert (done.held, done.problem) == (FACTS, None)


def test_an_altered_byte_is_put_aside_and_stops_nobody(
    origin: Database, make_database: MakeDatabase, tmp_path: Path
) -> None:
    destination, whole = make_database("sync"), exported(origin, tmp_path / "one.jisr").read_bytes()
    at = len(whole) // 2
    done = take(destination, whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert done.problem is not None
    assert 0 < done.held < FACTS
    with destination.read() as session:
        aside = session.exec(select(Quarantine)).all()
    assert [each.queue for each in aside] == ["bundle"]
    assert take(destination, whole).held == FACTS


def test_a_bundle_that_goes_on_after_a_gap_says_so(
    origin: Database, make_database: MakeDatabase, tmp_path: Path
) -> None:
    destination = make_database("sync")
    done = take(destination, exported(origin, tmp_path / "late", 20, 40))
    assert done.problem == "It goes on after 20; 0 is held here. Import what is between first."


def test_a_bundle_of_a_key_that_is_not_the_origins_is_refused(
    origin: Database, make_database: MakeDatabase, tmp_path: Path
) -> None:
    destination = make_database("sync")
    source = io.BytesIO(exported(origin, tmp_path / "one.jisr").read_bytes())
    bundle.read_header(source)
    other = ring({"anbar": KEY.verify_key})
    done = by_hand.take_in(destination, source, "ninewa", keys=other, is_for=lambda _: False, clock=lambda: NOW)
    assert done.problem == "anbar signed a batch in the name of ninewa."
    assert done.held == 0


def test_an_interrupted_export_goes_on_and_comes_to_the_same_bytes(origin: Database, tmp_path: Path) -> None:
    def run(name: str) -> bytes:
        chosen = by_hand.span(origin, SPEC, 0)
        file = tmp_path / name
        by_hand.export(origin, OwnKeys.of(KEY), SPEC, chosen, file, relays_to=frozenset(), software="test", now=NOW)
        return file.read_bytes()

    begun = exported(origin, tmp_path / "begun").read_bytes()
    first = whole_frames(begun)[2]
    (tmp_path / "cut.part").write_bytes(begun[: first + 20])
    run("cut")
    assert (tmp_path / "cut").read_bytes()[:first] == begun[:first]
    assert not (tmp_path / "cut.part").exists()
    assert ends_of(tmp_path / "cut")[-1] == FACTS
    (tmp_path / "other.part").write_bytes(b"something else")
    run("other")
    assert ends_of(tmp_path / "other") == [FACTS]


def whole_frames(raw: bytes) -> list[int]:
    source = io.BytesIO(raw)
    bundle.read_header(source)
    return [frame.ends_at for frame in bundle.frames(source)]


def ends_of(file: Path) -> list[int]:
    with file.open("rb") as source:
        bundle.read_header(source)
        messages = [open_message(frame.body, frame.headers, RING).message for frame in bundle.frames(source)]
    return [message.end.number for message in messages if isinstance(message, Batch)]


def test_a_bundle_is_never_overwritten(origin: Database, tmp_path: Path) -> None:
    file = exported(origin, tmp_path / "one.jisr")
    with pytest.raises(by_hand.BundleExists):
        by_hand.export(
            origin,
            OwnKeys.of(KEY),
            SPEC,
            by_hand.span(origin, SPEC, 0),
            file,
            relays_to=frozenset(),
            software="test",
            now=NOW,
        )


def test_an_export_begins_after_what_is_held_and_refuses_another_history(origin: Database) -> None:
    with origin.write() as session:
        row = link_row(session, SPEC)
        row.held_number, row.held_digest = 12, place_at(origin, 12).digest
    assert by_hand.span(origin, SPEC, None).after.number == 12
    assert by_hand.span(origin, SPEC, 3).after.number == 3
    with origin.write() as session:
        link_row(session, SPEC).held_digest = b"x" * 32
    with pytest.raises(by_hand.NotOneHistory):
        by_hand.span(origin, SPEC, None)
    with pytest.raises(by_hand.NotOneHistory):
        by_hand.span(origin, SPEC, FACTS + 1)


@pytest.mark.parametrize(
    "raw", [b"", b"PK\3\4", bundle.MAGIC, bundle.MAGIC + b"\0\0\0\2{}", bundle.MAGIC + b"\xff" * 9]
)
def test_a_file_that_is_no_bundle_is_refused(raw: bytes) -> None:
    with pytest.raises(bundle.NotABundle):
        bundle.read_header(io.BytesIO(raw))


def test_a_bundle_for_another_node_is_refused() -> None:
    header = bundle.Header("ninewa", "directorate-erbil", "statistical", 1, 0, 5, "now", "test")
    with pytest.raises(by_hand.WrongBundle):
        by_hand.check(header, DESTINATION, {"ninewa"})
    with pytest.raises(by_hand.WrongBundle):
        by_hand.check(header, "directorate-erbil", {"duhok"})
    by_hand.check(header, "directorate-erbil", {"ninewa"})
