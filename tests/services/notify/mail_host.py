"""A real SMTP server (aiosmtpd) that keeps what it was given and misbehaves when it is told to."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deploy.ports import free_port
from kernel.clock import now
from services.notify.mail import MailServer

ACCEPTED = "250 OK"


@dataclass
class Behaviour:
    """The answers to RCPT and DATA, how long the answer to DATA takes, and whether the line dies before it."""

    to_recipient: str = ACCEPTED
    to_data: str = ACCEPTED
    seconds: float = 0.0
    hangs_up: bool = False
    refused: set[str] = field(default_factory=set)


class MailHost:
    """Keeps every message whose DATA arrived, also those that it then refused to answer for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.behaviour = Behaviour()
        self.meanwhile: Callable[[], object] = lambda: None  # done while the sender waits for the answer to DATA
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.behaviour.refused:
            return "550 No such mailbox"
        if self.behaviour.to_recipient != ACCEPTED:
            return self.behaviour.to_recipient
        envelope.rcpt_tos.append(address)
        return ACCEPTED

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.meanwhile()
        await asyncio.sleep(self.behaviour.seconds)
        if self.behaviour.hangs_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return self.behaviour.to_data

    def server(self, **options: Any) -> MailServer:
        """How to reach it, impatiently."""
        usual = {"sender": "jisr@ninewa.test", "starttls": False, "step_seconds": 1.0}
        return MailServer("127.0.0.1", self.port, **{**usual, **options})


@contextmanager
def mail_host(*, password: str | None = None, tls: ssl.SSLContext | None = None) -> Iterator[MailHost]:
    """A running server on loopback. `password`: the only one that its AUTH accepts. `tls`: it speaks STARTTLS."""
    host = MailHost(free_port())
    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if password is not None:

        def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
            return AuthResult(success=data.password == password.encode(), handled=False)

        options |= {"authenticator": check, "auth_require_tls": False}
    controller = Controller(host, hostname="127.0.0.1", port=host.port, ready_timeout=20, **options)
    controller.start()
    try:
        yield host
    finally:
        controller.stop()


def said(message: EmailMessage) -> str:
    """The text of a message."""
    return str(message.get_content())


def certificate(directory: Path, host: str = "127.0.0.1") -> Path:
    """A key and a certificate for `host` that nobody vouches for but itself, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail host of a test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(minutes=5))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = directory / "mail-host.pem"
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
