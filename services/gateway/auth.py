"""Who is calling: logging in, the token that is given for it, and reading it again with every request.

A token says only which account it was given to and in which round. What the account may do is read from the database
with every request, so that disabling an account or taking a role from it counts from that moment on.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlmodel import Session, select

from kernel import audit
from kernel.crypto import SigningKey
from kernel.database import Database
from kernel.errors import NotAuthenticated, TooManyRequests
from kernel.identity import Actor, bearer, read_token, sign_token
from services.gateway.passwords import Passwords
from services.gateway.tables import Account
from services.gateway.throttle import Throttle

API = "api"  # the audience of the tokens given to people
TOKEN_SECONDS = 8 * 3600  # a shift
TRIES_TOGETHER = 5  # one login from one address: a person who mistypes
TRIES_LOGIN = 20  # one login from anywhere: a guesser with many addresses, against locking an officer out
TRIES_ADDRESS = 50  # any logins from one address: a whole station may sit behind one


class WrongLogin(NotAuthenticated):
    """This login and this password do not belong together."""

    code = "wrong_login"


def actor_of(account: Account, node: str) -> Actor:
    """The account as an actor of this node."""
    return Actor(
        id=account.id,
        name=account.name,
        roles=frozenset(account.roles),
        node=node,
        unit=account.unit,
        forums=tuple(account.forums),
        language=account.language,
    )


def give_token(key: SigningKey, account: Account, *, now: datetime) -> dict[str, Any]:
    """`{token, expires_at}` for this account, in its present round of tokens."""
    claims = {"sub": account.id, "round": account.tokens}
    token = sign_token(key, claims, audience=API, now=now, seconds=TOKEN_SECONDS)
    return {"token": token, "expires_at": now + timedelta(seconds=TOKEN_SECONDS)}


def caller(session: Session, key: SigningKey, authorization: str | None, *, node: str) -> Actor:
    """The actor whose token stands in an Authorization header. Raises NotAuthenticated."""
    claims = read_token(key.verify_key, bearer(authorization), audience=API)
    account = session.get(Account, str(claims["sub"]))
    if account is None or not account.active or account.tokens != claims.get("round"):
        raise NotAuthenticated("This token was withdrawn; log in again.")
    return actor_of(account, node)


@dataclass
class Logins:
    """Checks passwords and slows down who guesses."""

    database: Database
    key: SigningKey
    node: str
    passwords: Passwords
    together: Throttle = field(default_factory=lambda: Throttle(TRIES_TOGETHER))
    login: Throttle = field(default_factory=lambda: Throttle(TRIES_LOGIN))
    address: Throttle = field(default_factory=lambda: Throttle(TRIES_ADDRESS))

    def log_in(self, login: str, password: str, *, address: str, now: datetime) -> dict[str, Any]:
        """A token. Raises WrongLogin without saying which of the two is wrong, or TooManyRequests."""
        login = login.lower()
        self._refuse_guessers(login, address, now)
        with self.database.read() as session:
            account = session.exec(select(Account).where(Account.login == login)).first()
        fits = self.passwords.fits(account.password if account else None, password)
        if account is None or not fits or not account.active:
            self._count(login, address, now)
            self._note(account, "refused", now)
            raise WrongLogin
        self.together.succeeded(f"{login} {address}")
        self.login.succeeded(login)
        self._note(account, "allowed", now)
        if self.passwords.outdated(account.password):
            self._keep(account.id, self.passwords.hash(password))
        return give_token(self.key, account, now=now)

    def _refuse_guessers(self, login: str, address: str, now: datetime) -> None:
        waits = (
            self.together.wait(f"{login} {address}", now),
            self.login.wait(login, now),
            self.address.wait(address, now),
        )
        seconds = ceil(max(waits).total_seconds())
        if seconds > 0:
            error = TooManyRequests()
            error.retry_after = seconds
            raise error

    def _count(self, login: str, address: str, now: datetime) -> None:
        self.together.failed(f"{login} {address}", now)
        self.login.failed(login, now)
        self.address.failed(address, now)

    def _note(self, account: Account | None, outcome: str, now: datetime) -> None:
        """In the audit log, also for a login that does not exist: the answer must not come sooner for it."""
        actor = actor_of(account, self.node) if account else None
        subject = account.id if account else "unknown login"
        with self.database.write_silently() as session:
            audit.record(session, actor=actor, action="log_in", subject=subject, outcome=outcome, reason=None, at=now)

    def _keep(self, account_id: str, hashed: str) -> None:
        with self.database.write_silently() as session:
            if account := session.get(Account, account_id):
                account.password = hashed
