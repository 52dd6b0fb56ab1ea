"""A private certificate authority for those without one, and the requests that nodes bring to it (RFC 5280, RFC 2986).

Keys are on the curve P-256: every TLS that RabbitMQ 3.10 to 4.x comes with knows it. A node's certificate is for TLS
clients only and a broker's for servers only, so that neither can pass for the other. Certificates begin five minutes
early, for clocks that disagree. A key file is readable by its owner only, or encrypted, and never overwritten.
"""

import ipaddress
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from kernel.errors import BadInput, SettingsError
from kernel.tls import common_name, load_certificate

EARLY = timedelta(minutes=5)
MIN_RSA_BITS = 2048
PEM = serialization.Encoding.PEM
PublicKey = CertificatePublicKeyTypes


class BadCertificate(BadInput):
    """This certificate or request cannot be used: {reason}."""

    code = "bad_certificate"


@dataclass(frozen=True)
class Authority:
    """A certificate and the key that signs with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, name: str, *, now: datetime, days: int) -> "Authority":
        """A self-signed authority that may sign nodes and brokers, and no other authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _begin(subject, subject, key.public_key(), now, days)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate: Path, key: Path, passphrase: bytes | None = None) -> "Authority":
        """The authority in two files. Raises `SettingsError` naming the file that does not fit."""
        found = load_key(key, passphrase)
        loaded = load_certificate(certificate)
        if loaded.public_key() != found.public_key():
            raise SettingsError(f"The key file {key} is not the key of {certificate}.")
        return cls(loaded, found)

    def sign_node(self, request: x509.CertificateSigningRequest, user: str, *, now: datetime, days: int) -> bytes:
        """A client's certificate in PEM that names `user`; of the request only the key is taken."""
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._sign(request.public_key(), user, [x509.DNSName(user)], usage, now, days)

    def sign_broker(self, key: PublicKey, hosts: Sequence[str], *, now: datetime, days: int) -> bytes:
        """A server's certificate in PEM for the names and addresses by which nodes dial it."""
        names = [_general_name(host) for host in hosts]
        return self._sign(key, hosts[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now, days)

    def _sign(
        self,
        key: PublicKey,
        name: str,
        names: Sequence[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        now: datetime,
        days: int,
    ) -> bytes:
        builder = _begin(_name(name), self.certificate.subject, key, now, days)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        for extension, critical in (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([usage]), False),
            (x509.SubjectAlternativeName(names), False),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (issuer, False),
        ):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)


def new_request(key: ec.EllipticCurvePrivateKey, node: str) -> str:
    """A request in PEM that proves possession of `key`."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(node))
    return builder.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


def load_request(text: str, node: str) -> x509.CertificateSigningRequest:
    """The request of `node`, its signature and key checked. Raises `BadCertificate`."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
        key = request.public_key()
        sound = request.is_signature_valid
    except Exception as error:  # the library raises several kinds, and what comes in is a stranger's
        raise BadCertificate(reason="it is not a certificate request in PEM") from error
    if not sound:
        raise BadCertificate(reason="whoever made the request does not have its key")
    if not _strong(key):
        raise BadCertificate(reason="its key must be EC P-256 or P-384, Ed25519, or RSA of 2048 bits or more")
    if common_name(request) != node:
        raise BadCertificate(reason=f"the request names another node than {node}")
    return request


def _strong(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MIN_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    return isinstance(key, ed25519.Ed25519PublicKey)


def check_client_certificate(text: str, ca: str, key: PublicKey, user: str, now: datetime) -> x509.Certificate:
    """The certificate in PEM `text` if `ca` signed it for a client, with `key` and the name `user`.

    Raises `BadCertificate` saying what does not fit.
    """
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        authority = x509.load_pem_x509_certificate(ca.encode())
    except ValueError as error:
        raise BadCertificate(reason="it is not in PEM") from error
    if certificate.public_key() != key:
        raise BadCertificate(reason="it is not for the key that was asked for")
    if common_name(certificate) != user:
        raise BadCertificate(reason=f"its common name is {common_name(certificate)!r} and must be {user!r}")
    try:
        certificate.verify_directly_issued_by(authority)
        PolicyBuilder().store(Store([authority])).time(now).build_client_verifier().verify(certificate, [])
    except (VerificationError, InvalidSignature, ValueError, TypeError) as error:
        raise BadCertificate(reason=f"it is not one that its authority signed for a client now: {error}") from error
    return certificate


def new_key(path: Path, passphrase: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """Make a key and save it in PEM, encrypted if there is a passphrase. Raises `SettingsError` if the file exists."""
    key = ec.generate_private_key(ec.SECP256R1())
    save_key(path, key, passphrase)
    return key


def save_key(path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> None:
    """As `new_key` saves one."""
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    write_new(path, key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock), mode=0o600)


def load_key(path: Path, passphrase: bytes | None = None) -> ec.EllipticCurvePrivateKey:
    """The key in a file. Raises `SettingsError` naming it."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        raise SettingsError(f"The key file {path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"The key file {path} cannot be opened: a passphrase is missing, wrong or too much."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError(f"The key file {path} holds another kind of key than jisr makes.")
    return key


def write_new(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file that must not exist yet, whole and on disk when this returns. Raises `SettingsError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise SettingsError(f"The file {path} exists; it is never overwritten.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` in place of a file in one step: a reader sees the old or the new, never half."""
    new = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    write_new(new, content, mode=mode)
    new.replace(path)


def _begin(subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
