"""How two nodes come to trust each other: what `jisr enrol`, `jisr admit`, `jisr revoke` and `jisr readmit` do.

    governorate    request: its signing key, and a certificate request for the key of this link
    directorate    admits it: signs the certificate, lets its user in, believes its signing key, answers
    governorate    finishes: keeps the certificate, pins the authority and the directorate's signing key

Private keys never leave the machine they were made on. Whether a paper is genuine is decided by two people who
compare its fingerprint; `confirmed` is their word.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from contracts.topology import NodeKind
from kernel import authority
from kernel.clock import now
from kernel.crypto import SigningKey, VerifyKey
from kernel.database import Database
from kernel.errors import BadInput, Conflict, NotFound, SettingsError, refuse
from kernel.identity import Actor
from kernel.tls import load_certificate
from node.processes import Prepared
from services.sync import admissions, enrolment, operations, peers
from services.sync.admissions import Difference, Kept
from services.sync.enrolment import Answer, BadPaper, Request
from services.sync.secured import broker_admin, rights_of

SOON = timedelta(days=30)

Confirm = Callable[[str], bool]  # shown a fingerprint: is it the one that the other side read out?


class NotConfirmed(Conflict):
    """The fingerprint {fingerprint} was not confirmed; nothing was changed."""

    code = "not_confirmed"


class NoSuchLink(NotFound):
    """The topology has no link between {node} and {peer}."""

    code = "no_such_link"


class NoBrokerAdmin(SettingsError):
    """`broker_admin.url` is not set, so users of the broker cannot be {done}; see docs/links.md."""

    code = "no_broker_admin"


@dataclass(frozen=True)
class Signing:
    """How certificates are signed: for how many days and with which authority, or one that was signed elsewhere."""

    days: int
    passphrase: bytes | None = None
    signed_elsewhere: str | None = None


# --- at a governorate


def request(prepared: Prepared, destination: str) -> tuple[bytes, dict[str, Any]]:
    """The paper to carry to `destination`. The link's key is made once and used again when renewing."""
    _linked(prepared, destination)
    if prepared.topology.node(destination).kind is not NodeKind.DIRECTORATE:
        raise BadInput("It is directorates that admit: name one.")
    files = prepared.settings.link_files(destination)
    key = authority.load_key(files.key) if files.key.exists() else authority.new_key(files.key)
    node = prepared.node.id
    signing = _node_key(prepared)
    paper = enrolment.write(Request(node, destination, authority.new_request(key, node)), signing)
    shown = {"node": node, "destination": destination, "key_id": signing.key_id}
    return paper, {**shown, "fingerprint": enrolment.fingerprint(paper)}


def finish(prepared: Prepared, paper: bytes, confirm: Confirm, *, by: Actor) -> dict[str, Any]:
    """Check a directorate's answer and install it: certificate, authority, and the directorate's signing key, pinned.

    Raises `BadPaper`, `BadCertificate`, `AnotherKey`, `KeyRevoked`, `NotConfirmed`.
    """
    answer, key = enrolment.read(paper, Answer)
    _linked(prepared, answer.directorate)
    if answer.node != prepared.node.id:
        raise BadPaper(reason=f"it is for {answer.node}")
    files = prepared.settings.link_files(answer.directorate)
    public = authority.load_key(files.key).public_key()
    certificate = authority.check_client_certificate(answer.certificate, answer.ca, public, answer.user, now())
    fingerprint = enrolment.fingerprint(paper)
    with _levelled(prepared) as (session, _):
        is_known = peers.is_known(session, answer.directorate, key, by_hand=_key_by_hand(prepared, answer.directorate))
    is_known or confirm(fingerprint) or refuse(NotConfirmed, fingerprint=fingerprint)
    with _peers_of(prepared) as database, database.write() as session:
        peers.pin(session, answer.directorate, key, by=by, now=now(), audience=_readers(prepared))
        rows = peers.of(session, answer.directorate)
    admissions.keep(prepared.settings.home, rows)
    authority.replace(files.ca, answer.ca.encode())
    authority.replace(files.certificate, answer.certificate.encode())
    return {
        "directorate": answer.directorate,
        "key_id": key.key_id,
        "user": answer.user,
        "expires_at": certificate.not_valid_after_utc,
        "broker": answer.broker,
        "fingerprint": fingerprint,
    }


# --- at a directorate


def admit(
    prepared: Prepared, paper: bytes, signing: Signing, confirm: Confirm, *, by: Actor, broker: str | None
) -> tuple[bytes, dict[str, Any]]:
    """Let a governorate in and answer its request. May be repeated; a certificate is renewed in the same way.

    Raises `BadPaper`, `BadCertificate`, `NoSuchLink`, `NotConfirmed`, `KeyRevoked`, `AnotherKey`, `NoBrokerAdmin`.
    """
    asked, key = enrolment.read(paper, Request)
    if asked.destination != prepared.node.id:
        raise BadPaper(reason=f"it is for {asked.destination}")
    _linked(prepared, asked.node)
    wanted = authority.load_request(asked.request, asked.node)
    admin = broker_admin(prepared.settings) or refuse(NoBrokerAdmin, done="made")
    fingerprint = enrolment.fingerprint(paper)
    with _levelled(prepared) as (session, found):
        user = peers.user_for(session, asked.node, key)
        _refuse_another(found, asked.node, key)
    confirm(fingerprint) or refuse(NotConfirmed, fingerprint=fingerprint)
    certificate, ca = _signed(prepared, wanted, user, signing)
    checked = authority.check_client_certificate(certificate, ca, wanted.public_key(), user, now())
    admin.let_in(user, rights_of(prepared.settings, asked.node))
    expires_at = checked.not_valid_after_utc
    admission = peers.Admission(asked.node, key, user, f"{checked.serial_number:x}", expires_at)
    with _peers_of(prepared) as database, database.write() as session:
        row = peers.admit(session, admission, by=by, now=now(), audience=_readers(prepared))
    admissions.keep(prepared.settings.home, [row])
    answer = enrolment.write(Answer(asked.node, prepared.node.id, user, certificate, ca, broker), _node_key(prepared))
    shown = {"node": asked.node, "key_id": key.key_id, "user": user, "expires_at": expires_at}
    return answer, {**shown, "fingerprint": enrolment.fingerprint(answer)}


def _signed(prepared: Prepared, wanted: Any, user: str, signing: Signing) -> tuple[str, str]:
    """The certificate and its authority, both in PEM."""
    directory = prepared.settings.ca_directory
    ca = load_certificate(directory / "ca.pem").public_bytes(authority.PEM).decode()
    if signing.signed_elsewhere is not None:
        return signing.signed_elsewhere, ca
    signer = authority.Authority.load(directory / "ca.pem", directory / "ca.key", signing.passphrase)
    return signer.sign_node(wanted, user, now=now(), days=signing.days).decode(), ca


def _refuse_another(found: Difference, node: str, key: VerifyKey) -> None:
    """A node whose admission with another key is kept comes back with that one, or after it was revoked."""
    for one in found.missing:
        if one.node == node and one.key_id != key.key_id:
            refuse(peers.AnotherKey, node=node, key_id=one.key_id)


# --- at both


def revoke(prepared: Prepared, node: str, reason: str, *, by: Actor) -> dict[str, Any]:
    """Refuse a node from now on: first its signing key, then its user, whose open connections are closed.

    May be repeated, and must be if the broker could not be reached (`BrokerAway`).
    """
    _linked(prepared, node)
    home = prepared.settings.home
    with _peers_of(prepared) as database, database.write() as session:
        found = admissions.difference(session, home)
        admissions.refuse_kept(session, found, now())
        session.add_all(one.row() for one in found.missing if one.node == node)
        users = peers.revoke(
            session,
            node,
            joined_by_hand=_key_by_hand(prepared, node),
            reason=reason,
            by=by,
            now=now(),
            audience=_readers(prepared),
        )
        rows = peers.of(session, node)
    if prepared.node.kind is not NodeKind.DIRECTORATE:
        users = []
    try:
        _shut_out(prepared, users)
    finally:
        admissions.keep(home, rows)
    return {"node": node, "keys": [row.key_id for row in rows], "users": users, "reason": reason}


def _shut_out(prepared: Prepared, users: list[str]) -> None:
    if users:
        admin = broker_admin(prepared.settings) or refuse(NoBrokerAdmin, done="deleted")
        for user in users:
            admin.shut_out(user)


def readmit(prepared: Prepared, *, dry_run: bool, by: Actor) -> list[dict[str, Any]]:
    """Believe again whom the files of `{home}/admissions` name and the database does not; refuse whom they refuse.

    For a database that was lost or put back from an old backup. One line for each difference, with what became of it.
    Nothing is changed with `dry_run`, nor about a node that would be believed with two keys. Raises `NoBrokerAdmin`.
    """
    home = prepared.settings.home
    with _peers_of(prepared) as database, database.read() as session:
        found = admissions.difference(session, home)
        believed = [row.node for row in peers.listed(session) if row.revoked_at is None]
    claimed = Counter((*believed, *(one.node for one in found.missing)))
    again = [one for one in found.missing if claimed[one.node] == 1 and _is_linked(prepared, one.node)]
    if not dry_run:
        for user, node in ((one.user, one.node) for one in again if one.user):
            admin = broker_admin(prepared.settings) or refuse(NoBrokerAdmin, done="made")
            admin.let_in(user, rights_of(prepared.settings, node))
        with _levelled(prepared) as (session, _):
            for one in again:
                peers.admit_again(session, one.row(), by=by, now=now(), audience=_readers(prepared))
    return [
        *(_kept(one, "refused") for one in found.refused),
        *(_kept(one, "admitted" if one in again else "left out") for one in found.missing),
        *({"node": None, "key_id": None, "user": None, "what": f"unreadable: {file}"} for file in found.unreadable),
    ]


def _kept(one: Kept, what: str) -> dict[str, Any]:
    return {"node": one.node, "key_id": one.key_id, "user": one.user or None, "what": what}


def certificates(prepared: Prepared) -> list[dict[str, Any]]:
    """The certificates of this node's links and those of nodes admitted here, with what a person should know."""
    own = [_own(prepared, name) for name, link in sorted(prepared.settings.links.items()) if link.secured]
    with _peers_of(prepared) as database, database.read() as session:
        return own + [
            _line(row.node, row.broker_user, row.expires_at, revoked=row.revoked_at is not None)
            for row in peers.listed(session)
            if row.broker_user
        ]


def _own(prepared: Prepared, destination: str) -> dict[str, Any]:
    tls = prepared.settings.tls_of(destination)
    try:
        return _line(destination, tls.user(), tls.expires_at()) if tls else _line(destination, None, None)
    except SettingsError:
        return _line(destination, None, None)


def _line(peer: str, user: str | None, expires_at: datetime | None, *, revoked: bool = False) -> dict[str, Any]:
    left = expires_at - now() if expires_at else None
    state = "missing" if left is None else "valid"
    if left is not None and left < SOON:
        state = "expired" if left <= timedelta(0) else "expires_soon"
    days = left.days if left else None
    return {
        "peer": peer,
        "user": user,
        "state": "revoked" if revoked else state,
        "expires_at": expires_at,
        "days_left": days,
    }


@contextmanager
def _peers_of(prepared: Prepared) -> Iterator[Database]:
    """The database in which peers stand, closed afterwards."""
    database = Database(prepared.settings.database_url_of("sync"), service="sync")
    try:
        yield database
    finally:
        database.close()


def read_paper(file: Path) -> bytes:
    """A paper's content, not more than it may have. Raises `BadPaper`."""
    try:
        with file.open("rb") as source:
            return source.read(enrolment.MAX_BYTES + 1)
    except OSError as error:
        raise BadPaper(reason=f"{file} cannot be read: {error.strerror}") from error


def _readers(prepared: Prepared) -> tuple[str, ...]:
    return operations.readers(prepared.topology, prepared.node.id)


def _key_by_hand(prepared: Prepared, node: str) -> VerifyKey | None:
    file = prepared.settings.peer_keys_directory / f"{node}.pub"
    return VerifyKey.load(file) if file.exists() else None


def _node_key(prepared: Prepared) -> SigningKey:
    return SigningKey.load(prepared.settings.keys_directory / "node.key")


@contextmanager
def _levelled(prepared: Prepared) -> Iterator[tuple[Session, Difference]]:
    """A transaction on the peers in which nobody is believed whom a file of `{home}/admissions` refuses."""
    with _peers_of(prepared) as database, database.write() as session:
        yield session, admissions.level(session, prepared.settings.home, now())


def _linked(prepared: Prepared, peer: str) -> None:
    if not _is_linked(prepared, peer):
        refuse(NoSuchLink, node=prepared.node.id, peer=peer)


def _is_linked(prepared: Prepared, peer: str) -> bool:
    """Nodes with a link, or two directorates, which compare what they hold."""
    node, country = prepared.node, prepared.topology
    if peer in {link.destination for link in country.links_from(node.id)}:
        return True
    other = country.nodes.get(peer)
    return other is not None and peer != node.id and {node.kind, other.kind} == {NodeKind.DIRECTORATE}
