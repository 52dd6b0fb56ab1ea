"""A directorate loses its sync database, or puts back an old one: the admitted come back, the revoked never."""

import json
import shutil
from pathlib import Path

import requests

from kernel import audit
from kernel.crypto import SigningKey
from services.sync import peers
from services.sync.tables import Peer
from tests.kit import wait
from tests.kit.small_country import BAGHDAD
from tests.links.country import SecureCountry, put_aside
from tests.links.gate import rights
from tests.replication.country import Node, converged
from tests.replication.test_recovery import recover


def lose_database(country: SecureCountry, node: Node) -> None:
    """An empty sync database in place of the node's own; its engine does not run."""
    put_back(country, node, None)


def put_back(country: SecureCountry, node: Node, backup: Path | None) -> None:
    node.database.close()
    for name in ("sync.db", "sync.db-wal", "sync.db-shm"):
        (node.home / name).unlink(missing_ok=True)
    if backup is None:
        country.databases.migrated("sync", into=node.home / "sync.db")
    else:
        shutil.copyfile(backup, node.home / "sync.db")


def new_keys(node: Node) -> None:
    """What a stolen machine's place is taken by: another signing key and another key of its link."""
    (node.home / "keys" / "node.key").unlink()
    (node.home / "links" / BAGHDAD / "link.key").unlink(missing_ok=True)
    node.key = SigningKey.new()
    node.key.save(node.home / "keys" / "node.key")


def believed(node: Node) -> dict[str, bool]:
    """The keys of peers, and whether each is believed."""
    with node.database.read() as session:
        return {row.key_id: row.revoked_at is None for row in peers.listed(session)}


def users(country: SecureCountry) -> set[str]:
    """The users of Baghdad's broker."""
    listed = requests.get(f"{country.gate.admin_url}/api/users", timeout=10).json()
    return {each["name"] for each in listed}


def revoke(country: SecureCountry, name: str) -> None:
    country.jisr(BAGHDAD, "revoke", name, "--reason", "server stolen")


def test_after_its_database_is_lost_a_directorate_lets_in_again_whom_it_had_admitted_and_nobody_else(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.start(BAGHDAD)
    country.join("ninewa")
    country.join("duhok")
    revoke(country, "duhok")
    ninewa.start()
    ninewa.record_some(5)
    converged(ninewa, baghdad, at_least=5)
    baghdad.record_some(3)
    converged(baghdad, ninewa, at_least=3)
    baghdad.kill()
    lose_database(country, baghdad)
    baghdad.start()
    wait.until(lambda: put_aside(baghdad) != [], what="what ninewa says is not believed any more")
    assert "not known here" in put_aside(baghdad)[0]
    assert believed(baghdad) == {country["duhok"].key.key_id: False}, "the engine took over who is refused"

    planned = country.jisr(BAGHDAD, "readmit", "--dry-run")
    assert [(line["node"], line["what"]) for line in planned] == [("ninewa", "admitted")]
    assert ninewa.key.key_id not in believed(baghdad)
    assert country.jisr(BAGHDAD, "readmit") == planned
    assert country.jisr(BAGHDAD, "readmit") == [], "done again, it changes nothing"
    ninewa.record_some(3)
    converged(ninewa, baghdad, at_least=8, seconds=60)
    assert baghdad.records("ninewa") == ninewa.records("ninewa")
    country.admit("duhok", country.request("duhok")["fingerprint"], exit_code=2)
    assert "duhok" not in users(country)
    assert recover(baghdad, without=("duhok",)).recovered == 3
    converged(baghdad, ninewa, at_least=3, seconds=60)


def test_a_backup_older_than_a_revocation_brings_nobody_back(secure_country: SecureCountry, tmp_path: Path) -> None:
    country = secure_country
    baghdad, backup = country[BAGHDAD], tmp_path / "backup.db"
    country.join("ninewa")
    country.join("duhok")
    baghdad.database.close()
    shutil.copyfile(baghdad.home / "sync.db", backup)
    stolen = country["duhok"].key.key_id
    revoke(country, "duhok")
    new_keys(country["duhok"])
    assert country.admit("duhok", country.request("duhok")["fingerprint"])["user"] == "duhok.2"
    put_back(country, baghdad, backup)
    assert believed(baghdad)[stolen], "the backup knows nothing of it"
    country.gate.admin.let_in("duhok", rights(baghdad.vhost.name, "duhok"))  # the broker was put back as well

    baghdad.start()
    wait.until(lambda: not believed(baghdad)[stolen], what="the engine refuses the stolen key")
    wait.until(lambda: "duhok" not in users(country), what="and took its user away")
    with baghdad.database.read() as session:
        last = session.get(audit.AuditEntry, 3)
        assert last is not None
        assert (last.action, last.subject, last.reason) == ("revoke_node", "duhok", "kept in admissions: server stolen")
        assert audit.verify_audit(session) is None
    done = country.jisr(BAGHDAD, "readmit")
    assert [(line["node"], line["user"], line["what"]) for line in done] == [("duhok", "duhok.2", "admitted")]
    assert believed(baghdad) == {stolen: False, country["duhok"].key.key_id: True, country["ninewa"].key.key_id: True}
    country.gate.admin.shut_out("duhok.2")


def test_a_node_joined_by_hand_and_revoked_is_not_believed_by_its_file_when_the_database_is_lost(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    ninewa.key.verify_key.save(country.directory / f"peers-of-{BAGHDAD}" / "ninewa.pub")
    revoke(country, "ninewa")
    lose_database(country, baghdad)
    baghdad.start()
    wait.until(lambda: believed(baghdad) == {ninewa.key.key_id: False}, what="the engine refuses it")


def test_who_comes_with_another_key_while_an_admission_is_kept_is_revoked_first(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    former = ninewa.key.key_id
    lose_database(country, baghdad)
    new_keys(ninewa)
    asked = country.request("ninewa")["fingerprint"]
    assert "revoke it before" in country.admit("ninewa", asked, exit_code=2)["said"].replace("\n", " ")
    revoke(country, "ninewa")
    assert country.admit("ninewa", asked)["user"] == "ninewa.2"
    assert country.jisr(BAGHDAD, "readmit") == []
    lose_database(country, baghdad)
    assert [line["what"] for line in country.jisr(BAGHDAD, "readmit")] == ["refused", "admitted"]
    assert believed(baghdad) == {former: False, ninewa.key.key_id: True}


def test_of_two_keys_of_one_node_none_is_taken_from_the_files(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    kept = baghdad.home / "admissions" / f"ninewa.{ninewa.key.key_id}.json"
    said = json.loads(kept.read_bytes())
    other = SigningKey.new().verify_key
    (kept.parent / f"ninewa.{other.key_id}.json").write_text(json.dumps({**said, "key": other.raw.hex()}))
    (line,) = country.jisr(BAGHDAD, "readmit")
    assert (line["key_id"], line["what"]) == (other.key_id, "left out")
    assert believed(baghdad) == {ninewa.key.key_id: True}
    lose_database(country, baghdad)
    assert [line["what"] for line in country.jisr(BAGHDAD, "readmit")] == ["left out", "left out"]
    assert believed(baghdad) == {}


def test_files_of_admissions_from_before_there_were_any_are_written_at_the_start_of_the_engine(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    kept = baghdad.home / "admissions" / f"ninewa.{ninewa.key.key_id}.json"
    before = kept.read_bytes()
    shutil.rmtree(kept.parent)
    baghdad.start()
    wait.until(lambda: kept.exists() and kept.read_bytes() == before, what="its file is there again")


def test_a_file_that_cannot_be_read_is_named_and_hinders_nothing(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join("ninewa")
    country.join("duhok")
    directory = country[BAGHDAD].home / "admissions"
    spoilt = directory / f"duhok.{country['duhok'].key.key_id}.json"
    spoilt.write_text(spoilt.read_text().replace('"duhok"', '"../duhok"'))
    lose_database(country, country[BAGHDAD])
    country.start(BAGHDAD)
    wait.until(lambda: "admissions.unreadable" in country[BAGHDAD].log(), what="the engine says so and starts")
    country.jisr(BAGHDAD, "readmit", exit_code=1)
    assert list(believed(country[BAGHDAD])) == [country["ninewa"].key.key_id]


def test_a_governorate_that_lost_its_database_pins_its_directorate_again(secure_country: SecureCountry) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    lose_database(country, ninewa)
    (line,) = country.jisr("ninewa", "readmit")
    assert (line["node"], line["user"], line["what"]) == (BAGHDAD, None, "admitted")
    with ninewa.database.read() as session:
        (row,) = peers.of(session, BAGHDAD)
        assert isinstance(row, Peer)
        assert row.key == baghdad.key.verify_key.raw
