"""Finding sealed names: a blind index. Each word of a name has tokens, each an HMAC under a secret of the node.

A search makes the same tokens of what is typed and looks for equal ones; only then are the few parties found unsealed
and compared. Nothing is decrypted to be searched, and the table without the node's identity key says no name.

What it tells to somebody who has the database and not the key: how many distinct words there are, how often each
occurs, and which parties share one. Iraqi names are so unevenly distributed that the most frequent token is the most
frequent name. So it can be guessed that a party is called Muhammad or Ali, and seen that two share a rare name or a
telephone number, without knowing which. That is the price of finding a person by name at all, weighed in
docs/decisions/1802-search-by-blind-tokens.md. Tokens are deleted when a case is erased."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, func
from sqlmodel import Session, select

from services.case import folding
from services.case.tables import CaseRecord, SearchToken
from services.case.writing import put

KEYED_BY: Final = "search"
COMMON: Final = 10_000
"""How far the rows of a token are counted: which of two is rarer matters below that."""
TOKEN_BYTES: Final = 12
"""96 bits: among some millions of distinct words no two share a token by chance."""


def add(session: Session, secret: bytes, case_id: str, party_id: str, hidden: Mapping[str, Any]) -> None:
    """Write the tokens of a new party."""
    found = sorted(tokens(secret, hidden))
    put(session, SearchToken, *({"token": token, "party_id": party_id, "case_id": case_id} for token in found))


def replace(session: Session, secret: bytes, case_id: str, party_id: str, hidden: Mapping[str, Any]) -> None:
    """Write the tokens of a party, in place of those that it had."""
    of_party = SearchToken.case_id == case_id, SearchToken.party_id == party_id
    session.connection().execute(delete(SearchToken).where(*of_party))
    add(session, secret, case_id, party_id, hidden)


def remove(session: Session, case_id: str) -> None:
    """Delete the tokens of a case."""
    session.connection().execute(delete(SearchToken).where(SearchToken.case_id == case_id))


def tokens(secret: bytes, hidden: Mapping[str, Any]) -> set[bytes]:
    """Every token under which a party with this name and telephone number is found."""
    found = {token for word in folding.words(hidden["name"] or "") for token in of_word(secret, word)}
    if hidden["phone"]:
        found |= set(of_phone(secret, hidden["phone"]))
    return found


def of_word(secret: bytes, word: str) -> set[bytes]:
    """The tokens of one word of `folding.words`: of its spelling, and of how it sounds."""
    return {_token(secret, "w", word), *(_token(secret, "s", each) for each in folding.skeletons(word))}


def sought(secret: bytes, word: str) -> set[bytes]:
    """The tokens by which a word that is looked for is found: as it sounds, because what is spelled alike sounds alike;
    as it is spelled where it has no sound of its own."""
    return {_token(secret, "s", each) for each in folding.skeletons(word)} or {_token(secret, "w", word)}


def of_phone(secret: bytes, written: str) -> Iterator[bytes]:
    """The token of a telephone number; none where there are too few digits."""
    digits = folding.phone(written)
    if digits is not None:
        yield _token(secret, "p", digits)


def _token(secret: bytes, kind: str, text: str) -> bytes:
    return hmac.digest(secret, f"{kind}:{text}".encode(), hashlib.sha256)[:TOKEN_BYTES]


def parties(
    session: Session, wanted: Sequence[set[bytes]], *, among: ColumnElement[bool], limit: int
) -> list[tuple[str, str]]:
    """(party, case) of those that have one token of each set of `wanted`, in cases of `among`, the latest first.

    The rarest set is read in the order of the answer, and each of its rows looked up in the others: of two common
    names the first few hundred rows are enough, of a rare one all are few.
    """
    first, *others = _rarest_first(session, wanted) if len(wanted) > 1 else wanted
    each = [_with(token, others, among=among, limit=limit) for token in sorted(first)]
    found = {(case_id, party) for statement in each for party, case_id in session.exec(statement)}
    return [(party, case_id) for case_id, party in sorted(found, reverse=True)[:limit]]


def _with(token: bytes, others: Sequence[set[bytes]], *, among: ColumnElement[bool], limit: int) -> Any:
    row: Any = SearchToken
    case: Any = CaseRecord
    statement = select(row.party_id, row.case_id).join(case, case.id == row.case_id).where(row.token == token, among)
    for tokens in others:
        also = SearchToken.__table__.alias().c
        same = also.token.in_(tokens), also.case_id == row.case_id, also.party_id == row.party_id
        statement = statement.where(exists().where(*same))
    return statement.order_by(row.case_id.desc(), row.party_id.desc()).limit(limit)


def _rarest_first(session: Session, wanted: Sequence[set[bytes]]) -> list[set[bytes]]:
    row: Any = SearchToken
    counts = [
        select(func.count()).select_from(select(row.token).where(row.token.in_(tokens)).limit(COMMON).subquery())
        for tokens in wanted
    ]
    found = session.exec(select(*(count.scalar_subquery() for count in counts))).one()
    return [tokens for _, tokens in sorted(zip(found, wanted, strict=True), key=lambda pair: pair[0])]
