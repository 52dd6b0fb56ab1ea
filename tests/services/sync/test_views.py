"""What the doors show, and what an operator may do, on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import select

from contracts.sync import LinkState, LinkView, RecordPage, ReplicaState, ReplicaView
from contracts.topology import Clearance, LinkSpec
from kernel.audit import AuditEntry
from kernel.database import Database
from kernel.errors import BadInput
from kernel.identity import Actor
from services.sync import handlers, journal, views
from services.sync.tables import Link, Replica
from tests.conftest import MakeDatabase
from tests.services.sync.facts import NOW, fact, slice_of
from tests.services.sync.replica_kit import Origin, Taker

SPEC = LinkSpec("ninewa", "directorate-erbil", Clearance.STATISTICAL)
OPERATOR = Actor(id="op-1", name="op", roles=frozenset({"operator"}), node="ninewa")
STALE = 90.0
QUERY = {"kind": None, "origin": None, "since": None, "limit": 2, "after": None}


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database("sync")


def test_a_link_is_shown_before_the_engine_ever_ran(database: Database) -> None:
    with database.read() as session:
        (shown,) = views.links(session, [SPEC], now=NOW, stale=STALE)
    assert (shown["state"], shown["held"], shown["last_heard_at"]) == (LinkState.CONNECTING, None, None)
    assert shown["behind"] == {"known": False, "entries": None, "seconds": None}
    assert LinkView().dump(shown)["head"]["number"] == 0


def test_a_link_shows_how_far_behind_the_other_side_is_while_its_word_is_fresh(database: Database) -> None:
    with database.write() as session:
        journal.begin(session, "ninewa")
        journal.append(session, [journal.take(slice_of([fact() for _ in range(7)]))], origin="ninewa", now=NOW)
        row = handlers.link_row(session, SPEC)
        row.state, row.held_number, row.held_digest = LinkState.SENDING, 3, b"d" * 32
        row.last_heard_at, row.behind_since = NOW, NOW - timedelta(seconds=12)
    with database.read() as session:
        (fresh,) = views.links(session, [SPEC], now=NOW, stale=STALE)
        (silent,) = views.links(session, [SPEC], now=NOW + timedelta(seconds=91), stale=STALE)
    assert fresh["behind"] == {"known": True, "entries": 4, "seconds": 12.0}
    assert silent["behind"]["known"] is False
    assert silent["held"]["number"] == 3


def test_an_operators_word_is_kept_shown_at_once_and_audited(database: Database) -> None:
    with database.write() as session:
        handlers.pause_link(session, SPEC, by=OPERATOR, now=NOW, audience=())
    with database.read() as session:
        (paused,) = views.links(session, [SPEC], now=NOW, stale=STALE)
    with database.write() as session:
        handlers.resume_link(session, SPEC, by=OPERATOR, now=NOW, audience=())
    with database.read() as session:
        (resumed,) = views.links(session, [SPEC], now=NOW, stale=STALE)
        row = session.get(Link, SPEC.destination)
        lines = session.exec(select(AuditEntry)).all()
    assert (paused["state"], paused["paused"]) == (LinkState.PAUSED, True)
    assert (resumed["state"], resumed["paused"]) == (LinkState.CONNECTING, False)
    assert row is not None
    assert row.resumes == 1
    assert [(line.action, line.actor_id, line.subject) for line in lines] == [
        ("pause_link", "op-1", "directorate-erbil"),
        ("resume_link", "op-1", "directorate-erbil"),
    ]


@pytest.mark.parametrize(
    ("before", "after"), [(ReplicaState.REFUSED, ReplicaState.SILENT), (ReplicaState.DIVERGED, ReplicaState.DIVERGED)]
)
def test_resuming_listens_again_to_a_refused_origin_but_not_to_a_diverged_one(
    database: Database, before: ReplicaState, after: ReplicaState
) -> None:
    with database.write() as session:
        session.add(Replica(origin=SPEC.destination, epoch=1, number=0, digest=b"d" * 32, state=before, reason="why"))
    with database.write() as session:
        handlers.resume_link(session, SPEC, by=OPERATOR, now=NOW, audience=())
    with database.read() as session:
        row = session.get(Replica, SPEC.destination)
    assert row is not None
    assert row.state == after


def test_every_origin_has_a_replica_to_show_also_if_it_was_never_heard(database: Database) -> None:
    origin = Origin("ninewa")
    origin.add(fact(), fact(type="poem.written.v1"), fact(audience=("duhok",)))
    Taker(database).take(origin.hello(), origin.batch(0, 3))
    with database.read() as session:
        silent, heard = views.replicas(session, ["ninewa", "anbar"], now=NOW, stale=STALE)
    assert (silent["origin"], silent["state"], silent["behind"]["known"]) == ("anbar", ReplicaState.SILENT, False)
    assert (heard["state"], heard["behind"]["entries"], heard["withheld"], heard["parked"]) == (
        ReplicaState.OK,
        0,
        1,
        1,
    )
    assert ReplicaView().dump(heard)["held"]["number"] == 3


def test_records_are_paged_in_a_stable_order_and_filtered(database: Database) -> None:
    ninewa, anbar = Origin("ninewa"), Origin("anbar")
    ninewa.add(*(fact() for _ in range(3)), fact(type="forum.opened.v1"))
    anbar.add(fact())
    Taker(database).take(ninewa.batch(0, 4))
    Taker(database, origin="anbar").take(anbar.batch(0, 1), at=NOW + timedelta(hours=1))
    seen, after = [], None
    with database.read() as session:
        while True:
            page = views.records(session, {**QUERY, "after": after})
            RecordPage().dump(page)
            seen += [(row["origin"], row["kind"], row["subject"]) for row in page["items"]]
            after = page["next"]
            if after is None:
                break
        only = views.records(session, {**QUERY, "origin": "ninewa", "kind": "forum"})["items"]
        late = views.records(session, {**QUERY, "since": NOW + timedelta(minutes=1)})["items"]
    assert len(seen) == 5
    assert seen == sorted(set(seen))
    assert [row["kind"] for row in only] == ["forum"]
    assert [row["origin"] for row in late] == ["anbar"]


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U", "WyJhIl0", "é"])
def test_a_cursor_that_was_not_given_is_refused(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(BadInput):
        views.records(session, {**QUERY, "after": cursor})
