"""A node changes its signing key; real engines follow it by the journal alone, whoever was away meanwhile."""

import io
from pathlib import Path

from contracts.topology import Clearance, LinkSpec
from kernel.clock import now
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.settings import load
from services.sync import by_hand, message, own_keys
from services.sync.message import Hello, ring
from services.sync.position import Position
from services.sync.tables import Quarantine
from tests.kit import wait
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.replication.country import Country, Node, converged
from tests.replication.test_engine_bad_days import publish


def rotate(node: Node) -> tuple[SigningKey, int]:
    """What `jisr keys rotate --only node` does while the engine is stopped."""
    with node.database.write() as session:
        return own_keys.rotate(session, load(node.settings_file), now())


def test_entries_before_the_change_come_by_the_former_key_and_those_after_it_by_the_new_one(
    sqlite_country: Country, tmp_path: Path
) -> None:
    country = sqlite_country
    ninewa, baghdad, erbil = country["ninewa"], country[BAGHDAD], country[ERBIL]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(10)
    converged(ninewa, baghdad, at_least=10, seconds=60)
    ninewa.stop(30)
    key, number = rotate(ninewa)
    assert number == 11
    ninewa.start()
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=16, seconds=60)
    erbil.start()  # it was away, and gets everything in order by both keys
    converged(ninewa, erbil, at_least=16, seconds=60)
    assert (baghdad.count(Quarantine), erbil.count(Quarantine)) == (0, 0)

    for node in (ninewa, baghdad):  # both come back and know each other by the key that is now valid
        node.stop(30)
        node.start()
    ninewa.record_some(4)
    converged(ninewa, baghdad, at_least=20, seconds=60)
    assert baghdad.count(Quarantine) == 0

    forged = Hello("ninewa", 1, 99, "boot", Position(3, bytes(32)), "thief")
    publish(baghdad.vhost, "jisr.up", "up.ninewa", *message.sign(forged, ninewa.key))
    ninewa.record_some(1)
    converged(ninewa, baghdad, at_least=21, seconds=60)
    row = baghdad.replica("ninewa")
    assert row is not None
    assert (row.state, baghdad.count(Quarantine)) == ("ok", 0)

    spec, file = LinkSpec("ninewa", BAGHDAD, Clearance.OPERATIONAL), tmp_path / "all.jisr"
    with ninewa.database.read() as session:
        keys = own_keys.load(session, load(ninewa.settings_file))
    assert keys.present.key_id == key.key_id
    chosen = by_hand.span(ninewa.database, spec, 0)
    by_hand.export(ninewa.database, keys, spec, chosen, file, relays_to=frozenset(), software="test", now=now())
    fresh = Database(country.databases.migrated("sync"), service="sync")
    with io.BytesIO(file.read_bytes()) as source:
        by_hand.bundle.read_header(source)
        known = ring({"ninewa": ninewa.key.verify_key})
        done = by_hand.take_in(fresh, source, "ninewa", keys=known, is_for=lambda _: False, clock=now)
    assert (done.held, done.problem) == (21, None)
    fresh.close()


def test_a_directorate_changes_its_key_and_is_heard_by_its_governorates(sqlite_country: Country) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    baghdad.record_some(3)
    converged(baghdad, ninewa, at_least=3, seconds=60)
    baghdad.stop(30)
    rotate(baghdad)
    baghdad.start()
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=3, seconds=60)
    converged(baghdad, ninewa, at_least=4, seconds=60)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=60, what="ninewa hears the answers")
    assert ninewa.count(Quarantine) == 0
