"""A bundle applied while both engines run, and the line that comes back."""

from datetime import UTC, datetime
from pathlib import Path

from contracts.topology import Clearance, LinkSpec
from services.sync import by_hand
from services.sync.message import ring
from services.sync.own_keys import OwnKeys
from tests.kit import wait
from tests.kit.small_country import BAGHDAD
from tests.replication.country import Country, converged
from tests.replication.test_engine_bad_days import operate

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_line_goes_on_from_what_a_bundle_brought(sqlite_country: Country, tmp_path: Path) -> None:
    country = sqlite_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start("ninewa", BAGHDAD)
    ninewa.record_some(20)
    converged(ninewa, baghdad, at_least=20)
    operate(ninewa, BAGHDAD, pause=True)
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "paused", seconds=60)
    ninewa.record_some(300)
    wait.until(lambda: ninewa.head_number() == 320, seconds=60, what="ninewa's journal")

    spec, file = LinkSpec("ninewa", BAGHDAD, Clearance.OPERATIONAL), tmp_path / "ninewa.jisr"
    chosen = by_hand.span(ninewa.database, spec, None)
    assert chosen.after.number == 20
    keys = OwnKeys.of(ninewa.key)
    by_hand.export(ninewa.database, keys, spec, chosen, file, relays_to=frozenset(), software="test", now=NOW)
    with file.open("rb") as source:
        by_hand.bundle.read_header(source)
        done = by_hand.take_in(
            baghdad.database,
            source,
            "ninewa",
            keys=ring({"ninewa": ninewa.key.verify_key}),
            is_for=lambda _: False,
            clock=lambda: NOW,
        )
    assert (done.held, done.problem) == (320, None)

    ninewa.record_some(10)
    operate(ninewa, BAGHDAD, pause=False)
    converged(ninewa, baghdad, at_least=330)
    assert wait.until(lambda: ninewa.link_state(BAGHDAD) == "idle", seconds=60)
