"""Papers of TLS: what is refused, with which file named, and what an operator is told of a handshake that failed."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from kernel import authority
from kernel.authority import Authority, BadCertificate
from kernel.clock import now
from kernel.errors import SettingsError
from kernel.settings import load
from kernel.tls import Tls, refusal

GOOD = 'node = "ninewa"\nhome = "."\ntopology = "t.toml"\nbroker_url = "amqp://u:p@localhost/v"\n'
LINK = '[links.directorate-baghdad]\nbroker_url = "amqps://broker.example/jisr"\n'


@pytest.fixture(scope="module")
def signer() -> Authority:
    return Authority.new("Jisr test", now=now(), days=30)


@pytest.fixture
def papers(signer: Authority, tmp_path: Path) -> Tls:
    key = authority.new_key(tmp_path / "link.key")
    request = authority.load_request(authority.new_request(key, "ninewa"), "ninewa")
    authority.write_new(tmp_path / "certificate.pem", signer.sign_node(request, "ninewa", now=now(), days=9))
    authority.write_new(tmp_path / "ca.pem", signer.certificate.public_bytes(authority.PEM))
    return Tls(tmp_path / "ca.pem", tmp_path / "certificate.pem", tmp_path / "link.key")


def test_a_certificate_names_its_user_and_its_end(papers: Tls) -> None:
    assert papers.user() == "ninewa"
    assert timedelta(days=8) < papers.expires_at() - now() < timedelta(days=9, seconds=1)
    assert papers.context().verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
@pytest.mark.parametrize("content", [None, b"", b"junk"])
def test_a_file_that_is_missing_or_something_else_is_named(papers: Tls, name: str, content: bytes | None) -> None:
    file: Path = getattr(papers, name)
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        papers.context()
    assert str(file) in refused.value.message


def test_an_encrypted_key_of_a_link_is_refused_and_nobody_is_asked_for_its_passphrase(papers: Tls) -> None:
    key = authority.load_key(papers.key)
    papers.key.unlink()
    authority.save_key(papers.key, key, b"secret")
    with pytest.raises(SettingsError, match=r"link\.key"):
        papers.context()


def test_a_key_is_never_overwritten(papers: Tls) -> None:
    with pytest.raises(SettingsError, match="never overwritten"):
        authority.new_key(papers.key)


def test_the_files_of_a_link_are_in_the_nodes_home_unless_named(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(GOOD + LINK + 'ca_file = "own.pem"\n')
    tls = load(file).tls_of("directorate-baghdad")
    assert tls is not None
    assert tls.ca == tmp_path / "own.pem"
    assert tls.key == tmp_path / "links" / "directorate-baghdad" / "link.key"
    file.write_text(GOOD + LINK.replace("amqps", "amqp"))
    assert load(file).tls_of("directorate-baghdad") is None


def test_files_for_tls_without_tls_are_refused_naming_the_link(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text(GOOD + LINK.replace("amqps", "amqp") + 'ca_file = "own.pem"\n')
    with pytest.raises(SettingsError, match=r"links\.directorate-baghdad.*amqps"):
        load(file)


@pytest.mark.parametrize(
    "text", ["", "junk", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(BadCertificate):
        authority.load_request(text, "ninewa")


@given(st.binary(max_size=300))
def test_any_bytes_for_a_request_are_refused_with_our_own_error(content: bytes) -> None:
    with pytest.raises(BadCertificate):
        authority.load_request(content.decode("latin-1"), "ninewa")


WEAK = (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1()))  # noqa: S505 - weak on purpose


@pytest.mark.parametrize("key", WEAK)
def test_a_weak_key_is_refused(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ninewa")])
    weak = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    with pytest.raises(BadCertificate):
        authority.load_request(weak.public_bytes(authority.PEM).decode(), "ninewa")


def test_a_certificate_of_another_authority_key_or_use_is_refused(signer: Authority, papers: Tls) -> None:
    ca = signer.certificate.public_bytes(authority.PEM).decode()
    key = authority.load_key(papers.key).public_key()
    right = papers.certificate.read_text()
    assert authority.check_client_certificate(right, ca, key, "ninewa", now())
    stranger = Authority.new("Jisr test", now=now(), days=30)
    request = authority.load_request(authority.new_request(authority.load_key(papers.key), "ninewa"), "ninewa")
    for wrong in (
        stranger.sign_node(request, "ninewa", now=now(), days=9),
        signer.sign_node(request, "duhok", now=now(), days=9),
        signer.sign_broker(key, ["ninewa"], now=now(), days=9),
        signer.sign_node(request, "ninewa", now=now() - timedelta(days=9), days=2),
        b"junk",
    ):
        with pytest.raises(BadCertificate):
            authority.check_client_certificate(wrong.decode(), ca, key, "ninewa", now())
    with pytest.raises(BadCertificate):
        authority.check_client_certificate(right, ca, stranger.key.public_key(), "ninewa", now())


def test_an_error_that_has_nothing_to_do_with_certificates_is_no_refusal() -> None:
    assert refusal(ConnectionResetError("reset")) is None
    assert refusal(OSError("no route")) is None
    nested = RuntimeError(OSError("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"))
    assert "does not know the authority" in (refusal(nested) or "")
