"""Nodes of different releases: what earlier ones sent is read, what a later one may send does not stop anything."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from marshmallow import fields
from sqlmodel import select

from kernel.crypto import VerifyKey
from kernel.database import Database
from kernel.fact import FACT_SCHEMAS, FactSchema, statistical
from services.sync import arrivals, by_hand, message, records
from services.sync.entry import Shown
from services.sync.message import Batch, Hello, UnknownKind, open_message, sign
from services.sync.relays import Post
from services.sync.replicas import Replicas
from services.sync.tables import Arrival, Parked, Record, Relay, Replica
from services.sync.verify import verify_replica
from tests.conftest import MakeDatabase
from tests.replication import record_golden
from tests.replication.record_golden import DUHOK, GOLDEN, KEYS, NINEWA
from tests.services.sync.facts import NOW, fact
from tests.services.sync.replica_kit import Origin, Taker

FILES = sorted(GOLDEN.glob("*.json"))
KEPT = [(file.stem, at) for file in FILES for at in range(3)]


def read(release: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / f"{release}.json").read_text("utf-8"))
    return document


def ring_of(link: dict[str, Any]) -> message.Ring:
    return message.ring({link["origin"]: VerifyKey(base64.b64decode(link["key"]))})


def replicas_of(link: dict[str, Any]) -> Replicas:
    destination = link["destination"]
    down = not destination.startswith("directorate")

    def is_for(one: Shown) -> bool:
        return arrivals.is_for(destination, one, takes_unaddressed=down)

    post = Post(opens=True) if down else Post(frozenset({DUHOK}))
    return Replicas(link["origin"], "queue", 2**21, is_for, post)


@pytest.mark.parametrize(("release", "at"), KEPT)
def test_what_a_release_sent_is_held_to_the_last_digest(make_database: MakeDatabase, release: str, at: int) -> None:
    link = read(release)["links"][at]
    database = make_database("sync")
    said = [
        open_message(base64.b64decode(each["body"]), each["headers"], ring_of(link)).message
        for each in link["messages"]
        if each["kind"] != "held"
    ]
    with database.write() as session:
        taken = [each for each in said if isinstance(each, Hello | Batch)]
        outcome = replicas_of(link).take(session, taken, [], NOW)
    assert outcome.refusals == []
    assert outcome.state is not None
    assert {"number": outcome.state.held.number, "digest": outcome.state.held.hex} == link["head"]
    with database.read() as session:
        row = session.get_one(Replica, link["origin"])
        assert (row.state, row.withheld) == ("ok", link["withheld"])
        assert verify_replica(session, link["origin"]).ok
        by_hand_too = session.exec(select(Arrival.fact_id)).all()
        relayed = session.exec(select(Relay.fact_id)).all()
    addressed = {"directorate-baghdad": ["f-5"], "directorate-erbil": [], NINEWA: ["d-1"]}[link["destination"]]
    assert list(by_hand_too) == addressed
    assert list(relayed) == ([] if link["destination"] == NINEWA else ["f-6"])


@pytest.mark.parametrize("release", [file.stem for file in FILES])
def test_its_bundle_and_its_answers_are_read(make_database: MakeDatabase, release: str) -> None:
    document = read(release)
    up = document["links"][0]
    with io.BytesIO(base64.b64decode(document["bundle"])) as file:
        header = by_hand.bundle.read_header(file)
        database = make_database("sync")
        done = by_hand.take_in(
            database, file, header.origin, keys=ring_of(up), is_for=lambda _: False, clock=lambda: NOW
        )
    assert (done.held, done.problem) == (up["head"]["number"], None)
    held = next(each for each in up["messages"] if each["kind"] == "held")
    answered = open_message(base64.b64decode(held["body"]), held["headers"], ring_of(up)).message
    assert isinstance(answered, message.Held)
    assert answered.state == "ok"


def test_the_present_release_says_the_same_journal(tmp_path: Path) -> None:
    """If this fails, the chain of every journal there is has changed its meaning."""
    now = json.loads(record_golden.main("now", tmp_path).read_text("utf-8"))
    for release in (file.stem for file in FILES):
        assert [link["head"] for link in now["links"]] == [link["head"] for link in read(release)["links"]]


def test_a_later_minor_version_may_add_fields_and_kinds() -> None:
    hello = Hello(NINEWA, 1, 3, "boot", record_golden.start(NINEWA, 1), "jisr")
    ring = message.ring({NINEWA: KEYS[NINEWA].verify_key})
    assert open_message(*later(hello, mood="good"), ring).message == hello
    with pytest.raises(UnknownKind) as passed_over:
        open_message(*later(hello, kind="farewell"), ring)
    assert passed_over.value.signer == NINEWA


def later(said: message.Message, **fields_: Any) -> tuple[bytes, dict[str, str]]:
    """`said` as a release with a later minor version would say it."""
    body, _ = sign(said, KEYS[NINEWA])
    length = int.from_bytes(body[:4], "big")
    header = json.loads(body[4 : 4 + length]) | {"protocol": "jisr/1.9"} | fields_
    raw = json.dumps(header).encode()
    changed = len(raw).to_bytes(4, "big") + raw + body[4 + length :]
    key = KEYS[NINEWA]
    return changed, {message.KEY_HEADER: key.key_id, message.SIGNATURE_HEADER: key.sign(changed).hex()}


def test_to_a_peer_of_the_first_release_nothing_is_said_that_it_could_not_read() -> None:
    """What version 1.0 asked of each header is still there, in the same shape, and a first life adds nothing to it."""
    kept = {each["kind"]: each for each in read("0.1.0")["links"][0]["messages"]}
    journal = record_golden.Journal(NINEWA, record_golden.told_by_ninewa())
    for said in journal.said_to("directorate-baghdad"):
        body, headers = sign(said, journal.key)
        assert set(headers) == set(kept[said.kind]["headers"])
        assert {name: type(value) for name, value in header_of(body).items()} == {
            name: type(value) for name, value in header_of(base64.b64decode(kept[said.kind]["body"])).items()
        }


def header_of(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body[4 : 4 + int.from_bytes(body[:4], "big")])
    return found


def of_subject(database: Database, subject: str) -> Record | None:
    with database.read() as session:
        return session.exec(select(Record).where(Record.subject == subject)).first()


def test_a_type_of_a_later_release_is_stored_and_folded_after_the_upgrade(make_database: MakeDatabase) -> None:
    database, origin = make_database("sync"), Origin()
    origin.add(fact("p-1", type="patrol.made.v1"), fact("c-1"), fact("p-1", type="patrol.made.v1", version=2))
    Taker(database).take(origin.hello(), origin.batch(0, 3))
    with database.read() as session:
        assert session.get_one(Replica, NINEWA).number == 3
        assert sorted(session.exec(select(Parked.number))) == [1, 3]
        assert verify_replica(session, NINEWA).ok
    assert (of_subject(database, "p-1"), of_subject(database, "c-1") is None) == (None, False)

    with upgraded():
        with database.write() as session:  # what the engine does when it starts
            records.refold(session, NINEWA, 0, NOW)
        folded = of_subject(database, "p-1")
        assert folded is not None
        assert (folded.version, folded.number) == (2, 3)
        with database.read() as session:
            assert session.exec(select(Parked)).all() == []
            assert verify_replica(session, NINEWA).ok


class upgraded:  # noqa: N801 - reads as a sentence
    """This release, with a kind of fact more."""

    def __enter__(self) -> None:
        class Patrol(FactSchema):
            kind = "patrol"
            events = ("made",)
            district = statistical(fields.String(required=True))

        records.known_types.cache_clear()

    def __exit__(self, *_: object) -> None:
        del FACT_SCHEMAS["patrol.v1"]
        records.known_types.cache_clear()


def test_a_field_of_a_later_release_is_kept_and_shown(make_database: MakeDatabase) -> None:
    database, origin = make_database("sync"), Origin()
    origin.add(fact("c-1", statistical={"weather": "dust"}, operational={"patrol": 7}))
    Taker(database).take(origin.batch(0, 1))
    row = of_subject(database, "c-1")
    assert row is not None
    assert (row.statistical["weather"], row.operational["patrol"]) == ("dust", 7)
    with database.read() as session:
        assert session.exec(select(Parked)).all() == []
