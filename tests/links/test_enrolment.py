"""Enrolling, admitting and revoking as operators do it, and every paper that is not what it should be."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from sqlmodel import select

from kernel import audit, authority
from kernel.clock import now
from kernel.crypto import SigningKey
from node.enrolment import certificates
from node.processes import prepare
from services.sync import enrolment, peers
from services.sync.tables import Peer
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.links.country import SecureCountry
from tests.replication.country import Node


def peers_at(node: Node) -> list[Peer]:
    with node.database.read() as session:
        return sorted(session.exec(select(Peer)).all(), key=lambda row: (row.admitted_at, row.key_id))


def audited(node: Node) -> list[tuple[str, str, str | None]]:
    with node.database.read() as session:
        assert audit.verify_audit(session) is None
        rows = sorted(session.exec(select(audit.AuditEntry)).all(), key=lambda row: row.number)
        return [(row.action, row.subject, row.reason) for row in rows]


def change(file: Path, **values: Any) -> None:
    """Change fields of a paper's document, and leave its signature."""
    signed = msgspec.json.decode(file.read_bytes())
    document = {**msgspec.json.decode(signed["document"]), **values}
    file.write_bytes(msgspec.json.encode({**signed, "document": msgspec.json.encode(document).decode()}))


def test_an_authority_is_made_once_and_its_key_is_for_its_owner_only(secure_country: SecureCountry) -> None:
    country = secure_country
    made = country.jisr(ERBIL, "ca", "new")
    assert stat.S_IMODE(Path(made["key"]).stat().st_mode) == 0o600
    before = Path(made["key"]).read_bytes()
    assert "never overwritten" in country.jisr(ERBIL, "ca", "new", exit_code=2)["said"]
    assert Path(made["key"]).read_bytes() == before


def test_an_authority_with_a_passphrase_signs_with_it_only(secure_country: SecureCountry, tmp_path: Path) -> None:
    country = secure_country
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long sentence\n")
    words = ("--passphrase-file", str(passphrase))
    made = country.jisr(ERBIL, "ca", "new", *words)
    assert b"ENCRYPTED" in Path(made["key"]).read_bytes()
    broker = ("ca", "broker", "--host", "broker.example", "--host", "192.0.2.10")
    assert "passphrase is missing" in country.jisr(ERBIL, *broker, exit_code=2)["said"].replace("\n", " ")
    first = Path(country.jisr(ERBIL, *broker, *words)["key"]).read_bytes()
    renewed = country.jisr(ERBIL, *broker, *words)
    assert Path(renewed["key"]).read_bytes() == first
    names = x509.load_pem_x509_certificate(Path(renewed["certificate"]).read_bytes()).extensions
    hosts = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert hosts.get_values_for_type(x509.DNSName) == ["broker.example"]


def test_a_node_that_is_admitted_has_its_certificate_and_each_side_the_others_key(
    secure_country: SecureCountry,
) -> None:
    country = secure_country
    ninewa, baghdad = country["ninewa"], country[BAGHDAD]
    country.join("ninewa")
    (peer,) = peers_at(baghdad)
    assert (peer.node, peer.key, peer.broker_user) == ("ninewa", ninewa.key.verify_key.raw, "ninewa")
    files = country.directory / "ninewa" / "links" / BAGHDAD
    assert stat.S_IMODE((files / "link.key").stat().st_mode) == 0o600
    (pinned,) = peers_at(ninewa)
    assert (pinned.node, pinned.key) == (BAGHDAD, baghdad.key.verify_key.raw)
    assert [line[0] for line in audited(ninewa)] == ["pin_node"]
    assert [line[0] for line in audited(baghdad)] == ["admit_node"]
    for name, other in (("ninewa", BAGHDAD), (BAGHDAD, "ninewa")):
        shown = shown_certificates(country, name)
        assert [(line["peer"], line["user"], line["state"]) for line in shown] == [(other, "ninewa", "valid")]


def test_a_fingerprint_that_is_not_confirmed_changes_nothing_on_either_side(secure_country: SecureCountry) -> None:
    country = secure_country
    asked = country.request("ninewa")
    country.admit("ninewa", "0000-" * 7 + "0000", exit_code=2)
    assert not country.paper("ninewa", "answer").exists()
    assert peers_at(country[BAGHDAD]) == []
    country.admit("ninewa", asked["fingerprint"])
    country.finish("ninewa", "not it", exit_code=2)
    assert peers_at(country["ninewa"]) == []


def test_papers_that_were_changed_or_are_for_others_are_refused(secure_country: SecureCountry) -> None:
    country = secure_country
    asked = country.request("ninewa")["fingerprint"]
    request = country.paper("ninewa", "request")
    whole = request.read_bytes()
    change(request, node="duhok")
    assert "changed after it was signed" in country.admit("ninewa", asked, exit_code=2)["said"].replace("\n", " ")
    for content in (b"", b"{}", b"\xff" * 100, b"[" * 60_000, whole * 40):
        request.write_bytes(content)
        country.admit("ninewa", asked, exit_code=2)
    country.request("ninewa", ERBIL)
    assert "it is for directorate-erbil" in country.admit("ninewa", asked, exit_code=2)["said"].replace("\n", " ")
    request.write_bytes(whole)
    answered = country.admit("ninewa", asked)["fingerprint"]
    country.paper("ninewa", "answer").rename(country.paper("duhok", "answer"))
    country.request("duhok")
    assert "it is for ninewa" in country.finish("duhok", answered, exit_code=2)["said"]


def test_a_request_whose_key_the_asker_does_not_have_is_refused(secure_country: SecureCountry) -> None:
    """The right signing key around a request that was copied from another node."""
    country = secure_country
    country.request("duhok")
    other, _ = enrolment.read(country.paper("duhok", "request").read_bytes(), enrolment.Request)
    paper = enrolment.write(enrolment.Request("ninewa", BAGHDAD, other.request), country["ninewa"].key)
    country.paper("ninewa", "request").write_bytes(paper)
    said = country.admit("ninewa", enrolment.fingerprint(paper), exit_code=2)["said"]
    assert "names another node than ninewa" in said.replace("\n", " ")


def test_an_answer_signed_by_another_key_than_the_pinned_one_is_refused(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join("ninewa")
    answer, _ = enrolment.read(country.paper("ninewa", "answer").read_bytes(), enrolment.Answer)
    forged = enrolment.write(answer, SigningKey.new())
    country.paper("ninewa", "answer").write_bytes(forged)
    said = country.finish("ninewa", enrolment.fingerprint(forged), exit_code=2)["said"]
    assert "revoke it before another key is believed" in said.replace("\n", " ")
    assert country.jisr("ninewa", "revoke", BAGHDAD, "--reason", "it has new keys")["users"] == []
    country.finish("ninewa", enrolment.fingerprint(forged))
    assert [row.revoked_at is not None for row in peers_at(country["ninewa"])] == [True, False]


def test_a_directorate_that_was_joined_by_hand_is_pinned_to_that_key(secure_country: SecureCountry) -> None:
    country = secure_country
    SigningKey.new().verify_key.save(country.directory / "peers-of-ninewa" / f"{BAGHDAD}.pub")
    admitted = country.admit("ninewa", country.request("ninewa")["fingerprint"])
    said = country.finish("ninewa", admitted["fingerprint"], exit_code=2)["said"]
    assert "revoke it before another key is believed" in said.replace("\n", " ")


def test_a_certificate_is_renewed_with_the_same_user_and_key(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join("ninewa")
    before = peers_at(country[BAGHDAD])[0].serial
    admitted = country.admit("ninewa", country.request("ninewa")["fingerprint"], "--days", "10")
    country.finish("ninewa", admitted["fingerprint"])
    (peer,) = peers_at(country[BAGHDAD])
    assert peer.broker_user == "ninewa"
    assert peer.serial != before
    (shown,) = shown_certificates(country, "ninewa")
    assert (shown["state"], shown["days_left"]) == ("expires_soon", 9)


def test_another_authoritys_signature_is_taken_where_the_directorate_believes_it(
    secure_country: SecureCountry, tmp_path: Path
) -> None:
    country = secure_country
    asked = country.request("ninewa")["fingerprint"]
    request, _ = enrolment.read(country.paper("ninewa", "request").read_bytes(), enrolment.Request)
    wanted = authority.load_request(request.request, "ninewa")
    (country.directory / BAGHDAD / "ca" / "ca.key").unlink()
    signed = tmp_path / "signed.pem"
    words = ("--certificate", str(signed))
    signed.write_bytes(country.gate.authority.sign_node(wanted, "duhok", now=now(), days=9))
    assert "must be 'ninewa'" in country.admit("ninewa", asked, *words, exit_code=2)["said"].replace("\n", " ")
    past = now() - timedelta(days=9)
    signed.write_bytes(country.gate.authority.sign_node(wanted, "ninewa", now=past, days=3))
    country.admit("ninewa", asked, *words, exit_code=2)
    signed.write_bytes(country.gate.authority.sign_node(wanted, "ninewa", now=now(), days=9))
    country.finish("ninewa", country.admit("ninewa", asked, *words)["fingerprint"])


def test_a_revoked_key_never_comes_back_and_a_new_one_comes_as_another_user(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join("ninewa")
    revoked = country.jisr(BAGHDAD, "revoke", "ninewa", "--reason", "server stolen")
    assert revoked["users"] == ["ninewa"]
    asked = country.request("ninewa")["fingerprint"]
    assert "never admitted again" in country.admit("ninewa", asked, exit_code=2)["said"].replace("\n", " ")
    keys = country["ninewa"].home / "keys"
    (keys / "node.key").unlink()
    SigningKey.new().save(keys / "node.key")
    admitted = country.admit("ninewa", country.request("ninewa")["fingerprint"])
    assert admitted["user"] == "ninewa.2"
    country.finish("ninewa", admitted["fingerprint"])
    assert [row.revoked_at is not None for row in peers_at(country[BAGHDAD])] == [True, False]
    assert [line[0] for line in audited(country[BAGHDAD])] == ["admit_node", "revoke_node", "admit_node"]
    assert audited(country[BAGHDAD])[1] == ("revoke_node", "ninewa", "server stolen")


def test_a_second_key_for_a_node_that_is_in_is_refused(secure_country: SecureCountry) -> None:
    country = secure_country
    country.join("ninewa")
    keys = country["ninewa"].home / "keys"
    (keys / "node.key").unlink()
    (made,) = country.jisr("ninewa", "keys", "new", "--only", "node")
    assert made["key"] == "node"
    assert not (keys / "hash.key").exists()
    said = country.admit("ninewa", country.request("ninewa")["fingerprint"], exit_code=2)["said"]
    assert "revoke it before" in said.replace("\n", " ")


def test_two_directorates_admit_each_other_with_one_key_each(secure_country: SecureCountry) -> None:
    country = secure_country
    baghdad, erbil = country[BAGHDAD], country[ERBIL]
    country.finish(ERBIL, country.admit(ERBIL, country.request(ERBIL)["fingerprint"])["fingerprint"])
    for node, other in ((baghdad, erbil), (erbil, baghdad)):
        (peer,) = peers_at(node)
        assert (peer.node, peer.key) == (other.name, other.key.verify_key.raw)
    assert [row.broker_user for row in peers_at(erbil)] == [""]
    with erbil.database.read() as session:
        assert peers.user_for(session, BAGHDAD, baghdad.key.verify_key) == BAGHDAD


@pytest.mark.parametrize("node", [BAGHDAD, "basra", "nobody"])
def test_only_a_node_with_a_link_here_can_be_revoked(secure_country: SecureCountry, node: str) -> None:
    secure_country.jisr(BAGHDAD, "revoke", node, "--reason", "x", exit_code=2)


def shown_certificates(country: SecureCountry, name: str) -> list[dict[str, Any]]:
    return certificates(prepare(country[name].settings_file))
