"""A governorate's server burns with its backups: the directorate and a file that was put away bring everything back."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from contracts.safekeeping import begin
from kernel import outbox
from kernel.database import Database
from kernel.errors import BrokerAway
from kernel.vault import Vault
from node.processes import prepare
from services.case.sealing import VAULT
from services.sync.verify import verify_journal, verify_replica
from tests.kit import wait
from tests.kit.databases import SqliteDatabases
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.links.country import SecureCountry
from tests.replication.country import Node, converged
from tests.services.case.office import HANDLER, Office
from tests.services.case.test_identity_at_rest import TOLD, ZAINAB

OWN_KEYS = ("--only", "identity", "--only", "hash", "--only", "seal")


def set_up(country: SecureCountry, databases: SqliteDatabases) -> Node:
    """Ninewa with the databases of its services, and keys that only it has."""
    for service in ("case", "forum"):
        databases.migrated(service, into=country["ninewa"].home / f"{service}.db")
    country.jisr("ninewa", "keys", "new", *OWN_KEYS)
    return country["ninewa"]


@contextmanager
def office_of(node: Node) -> Iterator[tuple[Office, outbox.Relay]]:
    """The case service of a node, and what relays its outbox to the engine."""
    settings = prepare(node.settings_file).settings
    database = Database(settings.database_url_of("case"), service="case")
    relay = outbox.Relay(database, node.vhost.url)
    try:
        begin(database, settings)
        office = Office(database)
        database.info[VAULT] = Vault.at(settings.keys_directory)
        yield office, relay
    finally:
        relay.close()
        database.close()


def everything_is_held(relay: outbox.Relay, node: Node, baghdad: Node) -> None:
    def nothing_waits() -> bool:
        with suppress(BrokerAway):  # the engine has not made its queue yet
            relay.relay_once(idle=0.1)
        with relay.database.read() as session:
            return outbox.pending(session).count == 0

    wait.until(nothing_waits, what="the journal has what the case service told")
    converged(node, baghdad, seconds=60)


def test_after_the_fire_a_new_machine_gets_back_history_and_persons(
    secure_country: SecureCountry, sqlite_databases: SqliteDatabases, tmp_path: Path
) -> None:
    country, baghdad = secure_country, secure_country[BAGHDAD]
    stick = tmp_path / "stick" / "ninewa-recovery.key"
    stick.parent.mkdir()
    ninewa = set_up(country, sqlite_databases)
    country.jisr("ninewa", "keys", "recovery", str(stick))
    country.start(BAGHDAD)
    country.join("ninewa")
    ninewa.start()
    with office_of(ninewa) as (office, relay):
        case = office.at_work(parties=[ZAINAB], narrative=TOLD)
        everything_is_held(relay, ninewa, baghdad)
    head = ninewa.head()
    assert head is not None

    ninewa = country.burn("ninewa")
    set_up(country, sqlite_databases)
    country.jisr(BAGHDAD, "revoke", "ninewa", "--reason", "the server burnt")
    country.join("ninewa")
    ninewa.start()
    wait.until(lambda: ninewa.link_state(BAGHDAD) == "rolled_back", what="it is told that there was a journal before")
    recover = ("sync", "recover", "--yes", "--without", ERBIL, "--recovery-key", str(stick))
    said = country.jisr("ninewa", *recover)
    assert (said["result"]["recovered"], said["result"]["in_part"]) == (head.number, 0)
    assert said["restored"]["case"] > 0
    assert said["handed"]["incomplete"] == 0, "its row is back, and nobody need enter it again"
    keys = ninewa.home / "keys"
    assert {Path(name).name for name in said["restored"]["keys"]} == {"hash.key", "identity.key", "seal.key"}
    for name in ("hash.key", "seal.key"):
        (ninewa.home / "recovered-keys" / name).replace(keys / name)

    with office_of(ninewa) as (office, relay):
        found = office.get(case, HANDLER)
        assert found.identity is not None
        assert (found.identity.narrative, found.identity.parties[0].name) == (TOLD, ZAINAB["name"])
        number = office.open().number
        assert number != case.number
        everything_is_held(relay, ninewa, baghdad)
    with ninewa.database.read() as session:
        assert verify_journal(session, "ninewa").ok
    with baghdad.database.read() as session:
        assert verify_replica(session, "ninewa").ok
