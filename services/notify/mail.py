"""One conversation with a mail server (smtplib), and what became of each e-mail in it.

The border that matters is the end of DATA. Before it nothing was sent and trying again is free. After it the server has
answered, or it has not: then the e-mail may have gone out, and is tried again under the same Message-ID, so that a
repeat can be recognised. No transaction is open here: a slow server must not hold a database.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Self

from services.notify.model import Cause, Outcome, Parcel
from services.notify.texts import text, texts

STEP_SECONDS = 20.0  # one answer of the server; a link of 256 kbit/s carries our 2 KiB in a tenth of a second
SHUTTING_DOWN = 421  # RFC 5321, 4.2.3: may be the answer to anything
MAILBOX_NAME_NOT_ALLOWED = 553
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""One address as browsers know it (WHATWG), which is what people have. One with other letters would need SMTPUTF8."""


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed over. `starttls`: never speak to it in the clear."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    starttls: bool = True
    step_seconds: float = STEP_SECONDS


def letter(parcel: Parcel, sender: str) -> EmailMessage:
    """The e-mail: the rule's words, the record's printed number, and nothing else."""
    said = texts(parcel.language)
    words = text(parcel.rule, parcel.language)
    lines = [words.text]
    if parcel.reference:
        lines.append(said.letter.reference.format(reference=parcel.reference))
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = parcel.address
    message["Subject"] = said.letter.subject.format(title=words.title)
    message["Date"] = format_datetime(parcel.created_at)
    message["Message-ID"] = parcel.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice answers it
    message.set_content("\n\n".join([*lines, said.letter.closing]) + "\n")
    return message


class _Failed(Exception):
    """A step of the conversation did not succeed."""

    def __init__(self, cause: Cause, reply: int | None = None) -> None:
        super().__init__(cause)
        self.outcome = Outcome(cause, reply)


@contextmanager
def _step(cause: Cause) -> Iterator[None]:
    """What goes wrong in here failed for `cause`, unless the connection itself broke or was too slow."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise _Failed(cause, error.smtp_code) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _Failed(_lost(error, cause)) from error


def _lost(error: BaseException, cause: Cause) -> Cause:
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return Cause.TIMED_OUT  # smtplib shows a slow answer as a closed connection
    if isinstance(error, ssl.SSLError):
        return Cause.INSECURE
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return cause
    return Cause.UNREACHABLE


def _expect(answer: tuple[int, bytes], cause: Cause, *accepted: int) -> None:
    if answer[0] == SHUTTING_DOWN:
        raise _Failed(Cause.UNREACHABLE, answer[0])
    if answer[0] not in accepted:
        raise _Failed(cause, answer[0])


class Conversation:
    """A connection to the mail server, made for the first e-mail and kept for the next ones.

    `send` never raises for what a server or a network does: it returns what became of the e-mail.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()

    def send(self, parcel: Parcel) -> Outcome:
        """Hand one e-mail over. An outcome without a cause says that the server took responsibility for it."""
        if not ADDRESS.fullmatch(parcel.address):
            return Outcome(Cause.REFUSED_RECIPIENT, MAILBOX_NAME_NOT_ALLOWED)
        message = letter(parcel, self._server.sender).as_bytes(policy=SMTP)
        try:
            if self._smtp is None:
                self._smtp = _connected(self._server)
            _hand_over(self._smtp, self._server.sender, parcel.address, message)
        except _Failed as failed:
            self._begin_afresh()
            return failed.outcome
        return Outcome()

    def _begin_afresh(self) -> None:
        """Forget the refused e-mail on this connection, or the connection when it is broken."""
        if self._smtp is None:
            return
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()
            self._smtp = None


def _connected(server: MailServer) -> smtplib.SMTP:
    name = server.sender.rpartition("@")[2]  # for EHLO; left out, smtplib asks the DNS for it
    with _step(Cause.UNREACHABLE):
        # Given to connect() instead, the host's name would be unknown to starttls(), which checks it.
        smtp = smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=server.step_seconds)
    try:
        _introduce(smtp, server)
    except _Failed:
        smtp.close()
        raise
    return smtp


def _introduce(smtp: smtplib.SMTP, server: MailServer) -> None:
    with _step(Cause.UNREACHABLE):
        smtp.ehlo_or_helo_if_needed()
    if server.starttls:
        with _step(Cause.INSECURE):
            _expect(smtp.starttls(context=ssl.create_default_context()), Cause.INSECURE, 220)
            smtp.ehlo_or_helo_if_needed()
    if server.user:
        with _step(Cause.REFUSED_LOGIN):
            smtp.login(server.user, server.password or "")


def _hand_over(smtp: smtplib.SMTP, sender: str, address: str, message: bytes) -> None:
    with _step(Cause.REFUSED_SENDER):
        _expect(smtp.mail(sender), Cause.REFUSED_SENDER, 250)
    with _step(Cause.REFUSED_RECIPIENT):
        _expect(smtp.rcpt(address), Cause.REFUSED_RECIPIENT, 250, 251)
    try:
        answer = smtp.data(message)
    except smtplib.SMTPDataError as error:
        raise _Failed(Cause.REFUSED_MESSAGE, error.smtp_code) from error
    except (OSError, smtplib.SMTPException) as error:
        raise _Failed(Cause.UNCONFIRMED) from error
    _expect(answer, Cause.REFUSED_MESSAGE, 250)
