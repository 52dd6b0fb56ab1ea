"""Mutual TLS to a broker: whom we believe, who we are, and until when.

The broker's certificate must be signed by the one authority in `ca_file` (pinned: the system's authorities are not
asked) and must name the host that the address names. The node shows a certificate of its own, whose common name is
the broker's user. TLS 1.2 at the least; where both sides can, TLS 1.3 is chosen.
"""

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from kernel.clock import now
from kernel.errors import SettingsError

# What OpenSSL says of a handshake that failed for a reason that waiting does not cure, in words for an operator.
_SAID = {
    "CERTIFICATE_EXPIRED": "the certificate of this node has expired",
    "CERTIFICATE_REQUIRED": "the broker asks for a certificate and none was shown",
    "CERTIFICATE_REVOKED": "the certificate of this node was revoked",
    "CERTIFICATE_UNKNOWN": "the broker does not accept the certificate of this node",
    "BAD_CERTIFICATE": "the broker does not accept the certificate of this node",
    "UNKNOWN_CA": "the broker does not know the authority that signed the certificate of this node",
    "UNSUPPORTED_CERTIFICATE": "the certificate of this node is not one for a client",
    "CERTIFICATE_VERIFY_FAILED": "the broker's certificate is not one that this node believes",
    "PROTOCOL_VERSION": "the broker speaks no TLS that this node accepts",
    "HANDSHAKE_FAILURE": "the broker refused the TLS handshake",
}
_pattern = re.compile("|".join(_SAID))
# In TLS 1.3 a client writes before it reads the refusal; then all that is seen is that the broker hung up.
_hung_up = re.compile("IncompatibleProtocolError.*SSL", re.DOTALL)
HUNG_UP = "the broker hung up on seeing the certificate of this node"
EXPIRED = _SAID["CERTIFICATE_EXPIRED"]


@dataclass(frozen=True)
class Tls:
    """The three files of one end: the authority it believes, its own certificate and that certificate's key."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a connection needs, read from the files as they are now. Raises `SettingsError` naming the file."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and the name in it
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        load_certificate(self.ca)
        load_certificate(self.certificate)
        try:
            context.load_verify_locations(cafile=self.ca)
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as error:
            raise SettingsError(f"The key file {self.key} is not the key of {self.certificate}.") from error
        return context

    def user(self) -> str:
        """The broker's user: the common name of the certificate. Raises `SettingsError`."""
        return common_name(load_certificate(self.certificate))

    def expires_at(self) -> datetime:
        """When the certificate ends. Raises `SettingsError`."""
        return load_certificate(self.certificate).not_valid_after_utc

    def refusal(self, error: BaseException) -> str | None:
        """As `refusal`, and sure of the cause where the broker did not say that the certificate has expired."""
        said = refusal(error)
        if said == HUNG_UP:
            with suppress(SettingsError):
                return EXPIRED if self.expires_at() < now() else said
        return said


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate in a PEM file. Raises `SettingsError` naming the file."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"The certificate file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The certificate file {path} is not a certificate in PEM.") from error


def common_name(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """The one common name of a certificate or request; empty when there is none or more than one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def refusal(error: BaseException) -> str | None:
    """Why a TLS handshake failed, in words, if it is a refusal that waiting does not cure; else None.

    A broker that speaks TLS 1.3 refuses a client after the handshake, so the reason may come with any later error.
    """
    found = _pattern.search(str(error)) or _pattern.search(repr(error))
    if found:
        return _SAID[found[0]]
    if _hung_up.search(repr(error)):
        return HUNG_UP
    causes = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args, error.__cause__]
    reasons = (refusal(cause) for cause in causes if isinstance(cause, BaseException))
    return next((reason for reason in reasons if reason), None)


def _no_password() -> bytes:
    """Without this OpenSSL would ask on the terminal for the password of an encrypted key."""
    raise ValueError("the key is encrypted")
