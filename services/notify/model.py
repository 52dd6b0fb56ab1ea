"""Who can be notified, what a notification is, and when an e-mail is tried again. Pure values and functions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.roles import Role


@dataclass(frozen=True)
class Contact:
    """An account as rules see it. `hash` is how a fact names the account without naming it."""

    account_id: str
    hash: str
    roles: frozenset[Role]
    unit: str | None = None
    forums: frozenset[str] = frozenset()

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True)
class Directory:
    """The active accounts of this node."""

    contacts: tuple[Contact, ...] = ()

    def hashed(self, account_hash: str | None) -> list[Contact]:
        """The account a fact means by this hash: one, or none when it is not of this node or no longer active."""
        return [contact for contact in self.contacts if account_hash and contact.hash == account_hash]

    def holding(self, roles: Collection[Role]) -> list[Contact]:
        return [contact for contact in self.contacts if contact.has(*roles)]

    def in_unit(self, unit: str | None, roles: Collection[Role]) -> list[Contact]:
        return [contact for contact in self.holding(roles) if unit is not None and contact.unit == unit]

    def in_forum(self, forum: str | None, roles: Collection[Role]) -> list[Contact]:
        return [contact for contact in self.holding(roles) if forum is not None and forum in contact.forums]


@dataclass(frozen=True)
class Draft:
    """One notification to be made: to whom, by which rule, about which record. Nothing else is known of the record."""

    account_id: str
    rule: str
    about: str
    subject: str
    reference: str | None


class DeliveryState(StrEnum):
    """`sending`: taken up, and the answer of the mail server not yet written down. `dropped`: nobody to send it to."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


class Cause(StrEnum):
    """Why an e-mail was not sent, or may not have been. Our own closed list: a server's words may repeat an address."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    UNCONFIRMED = "unconfirmed"
    INSECURE = "insecure"
    REFUSED_LOGIN = "refused_login"
    REFUSED_SENDER = "refused_sender"
    REFUSED_RECIPIENT = "refused_recipient"
    REFUSED_MESSAGE = "refused_message"
    NO_ADDRESS = "no_address"
    ACCOUNT_INACTIVE = "account_inactive"


FINAL_WHEN_PERMANENT: Final = frozenset({Cause.REFUSED_RECIPIENT, Cause.REFUSED_MESSAGE})
"""What no waiting cures: this address or this message was refused for good (SMTP 5xx). A refused login or sender is our
own configuration, which an operator may put right while the e-mail waits."""

CONCERNS_SERVER: Final = frozenset(
    {Cause.UNREACHABLE, Cause.TIMED_OUT, Cause.INSECURE, Cause.REFUSED_LOGIN, Cause.REFUSED_SENDER}
)
"""After one of these the next e-mail would fare the same: the pass ends, and the others keep their attempts."""

Retries = Sequence[timedelta]
"""Waits after each failed attempt, from the rules of the node: nine attempts in 65 hours unless they say otherwise, a
weekend with the mail server down. What is older is still in the inbox, and an operator can replay it."""

LEASE: Final = timedelta(minutes=15)
"""How long an e-mail stays `sending` before it is taken for lost. One conversation has eleven steps (connecting, the
greeting, EHLO, STARTTLS, TLS, EHLO, two of AUTH, MAIL, RCPT, DATA, its answer: connecting and greeting share one wait),
and the longest wait that the settings allow is 60 s: eleven minutes."""


@dataclass(frozen=True)
class Parcel:
    """One attempt at one e-mail: what to say, to which address, under which Message-ID."""

    delivery_id: str
    attempt: int
    message_id: str
    address: str
    language: str
    rule: str
    reference: str | None
    created_at: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt. No cause: the server took responsibility for the message."""

    cause: Cause | None = None
    reply: int | None = None

    @property
    def sent(self) -> bool:
        return self.cause is None

    @property
    def permanent(self) -> bool:
        refused = self.reply is not None and 500 <= self.reply < 600
        return refused and self.cause in FINAL_WHEN_PERMANENT


@dataclass(frozen=True)
class Standing:
    """How an e-mail stands after an attempt; `next_at` only while it waits."""

    state: DeliveryState
    next_at: datetime | None = None


def after(outcome: Outcome, attempts: int, now: datetime, *, retries: Retries) -> Standing:
    """Where attempt number `attempts` (from 1) leaves an e-mail: sent, waiting for the next attempt, or dead."""
    if outcome.sent:
        return Standing(DeliveryState.SENT)
    if outcome.permanent or attempts > len(retries):
        return Standing(DeliveryState.DEAD)
    return Standing(DeliveryState.WAITING, now + retries[attempts - 1])
