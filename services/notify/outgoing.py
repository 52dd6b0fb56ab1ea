"""One bounded pass over the e-mails that are due: take one up, hand it over, write down what became of it."""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from kernel import clock, crash, metrics
from kernel.database import Database
from kernel.errors import SettingsError
from kernel.log import get_logger
from kernel.settings import Settings
from services.notify.handlers import deliveries
from services.notify.mail import Conversation, MailServer
from services.notify.model import CONCERNS_SERVER, Cause, DeliveryState, Outcome, Parcel, Retries
from services.notify.tables import DeliveryRow

MOST: Final = 100  # e-mails in one pass
SECONDS: Final = 60.0  # after which a pass takes up no more: shorter than the lease

RESULTS: Final = {
    DeliveryState.SENT: "sent",
    DeliveryState.WAITING: "retried",
    DeliveryState.DEAD: "dead",
    DeliveryState.DROPPED: "dropped",
}

log = get_logger("notify")


def mail_server(settings: Settings) -> MailServer | None:
    """Where this node hands its e-mail over; None when it has no mail server.

    Raises `SettingsError` for a password file that cannot be read.
    """
    smtp = settings.smtp
    if smtp.host is None:
        return None
    return MailServer(
        host=smtp.host,
        port=smtp.port,
        sender=smtp.sender,
        user=smtp.user,
        password=_secret(smtp.password_file) if smtp.password_file else None,
        starttls=smtp.starttls,
        step_seconds=smtp.timeout_seconds,
    )


def _secret(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file of `smtp.password_file`, {file}, cannot be read.") from error


def send_due(
    database: Database,
    server: MailServer,
    *,
    retries: Retries,
    most: int = MOST,
    seconds: float = SECONDS,
    now: Callable[[], datetime] = clock.now,
) -> int:
    """Send up to `most` e-mails that are due; how many were taken up. Ends early when the server itself is in trouble.

    Raises `Unavailable` when our database is; an e-mail that was just sent is then tried again as `unconfirmed`.
    """
    started = time.monotonic()
    taken = 0
    with Conversation(server) as conversation:
        while taken < most and time.monotonic() - started < seconds:
            with database.write_silently() as session:
                parcel = deliveries.take_next(session, retries=retries, now=now())
            if parcel is None:
                break
            taken += 1
            if isinstance(parcel, DeliveryRow):
                _count(parcel)
            elif _send(database, conversation, parcel, retries, now).cause in CONCERNS_SERVER:
                break
    return taken


def _send(
    database: Database, conversation: Conversation, parcel: Parcel, retries: Retries, now: Callable[[], datetime]
) -> Outcome:
    outcome = conversation.send(parcel)
    crash.here("after_mail")
    with database.write_silently() as session:
        row = deliveries.settle(session, parcel, outcome, retries=retries, now=now())
    _count(row)
    return outcome


def _count(row: DeliveryRow) -> None:
    state = DeliveryState(row.state)
    if state is DeliveryState.WAITING and row.cause == Cause.UNCONFIRMED:
        result = "unconfirmed"
    else:
        result = RESULTS.get(state, "overtaken")
    metrics.NOTIFICATIONS.labels("mail", result).inc()
    if state is not DeliveryState.SENT:
        log.warning(
            "mail.not_sent", delivery=row.id, state=row.state, cause=row.cause, reply=row.reply, attempts=row.attempts
        )
