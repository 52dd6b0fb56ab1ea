"""identity at rest, sealed under a key of each case; who opened it in an emergency; search; receipts; evidence

Rows of the release before are sealed here, in the same transaction that drops the columns they stood in. That needs the
node's identity key, which `jisr migrate` reads; an empty database needs none. Names that were there before are indexed
by the service (`index_version`). On SQLite what is dropped is overwritten
(`secure_delete`); on PostgreSQL it is gone with the next VACUUM FULL, see docs/operations.md."""

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from kernel.database import UtcDateTime
from kernel.errors import SettingsError
from kernel.vault import Vault, seal

revision = "case_0003"
down_revision = "case_0002"
branch_labels = None
depends_on = None

WORD = sa.String(32)
ACCOUNT = sa.String(64)
AT_ONCE = 500
PARTY = ("name", "sex", "birth_date", "age", "phone", "address")


def upgrade() -> None:
    _keys()
    _receipts()
    _evidence()
    for table in ("case_party", "case_narrative", "case_note"):
        op.add_column(table, sa.Column("sealed", sa.LargeBinary()))
    op.add_column("case_party", sa.Column("index_version", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_case_party_index_version", "case_party", ["index_version"])
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM case_record LIMIT 1")).first() is not None:
        _seal_everything(connection, _vault())
    for name in PARTY:
        op.drop_column("case_party", name)
    for name in ("narrative", "place"):
        op.drop_column("case_narrative", name)
    op.drop_column("case_note", "text")


def _keys() -> None:
    of_case = sa.ForeignKey("case_record.id")
    op.create_table(
        "case_key",
        sa.Column("case_id", sa.String(36), of_case, primary_key=True),
        sa.Column("key_id", sa.String(16)),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("destroyed_at", UtcDateTime()),
    )
    op.create_index("case_key_key_id", "case_key", ["key_id"])
    op.create_table(
        "node_secret",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "search_token",
        sa.Column("token", sa.LargeBinary(12), primary_key=True),
        sa.Column("party_id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), nullable=False, index=True),
    )
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False),
        sa.Column("account_id", ACCOUNT, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
    )
    op.create_index("break_glass_of", "break_glass", ["case_id", "account_id", "expires_at"])


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False, index=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("issued_by", ACCOUNT, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("voided_at", UtcDateTime()),
        sa.Column("words", sa.Integer(), nullable=False),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("case_id", sa.String(36), sa.ForeignKey("case_record.id"), nullable=False, index=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("media_type", WORD, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("added_by", ACCOUNT, nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
    )
    op.create_index("evidence_state_added", "evidence", ["state", "added_at"])
    op.create_table(
        "evidence_part",
        sa.Column("evidence_id", sa.String(36), sa.ForeignKey("evidence.id"), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("address", sa.String(64), nullable=False, index=True),
    )


def _vault() -> Vault:
    config = op.get_context().config
    keys = config.attributes.get("keys") if config is not None else None
    if keys is None:
        raise SettingsError("There are cases to be sealed and no identity key; use: jisr migrate.")
    return Vault.at(keys)


def _seal_everything(connection: sa.Connection, vault: Vault) -> None:
    """Each case gets a key, and what identifies people in it is sealed as services/case/sealing.py reads it."""
    for cases in _slices(connection, "SELECT id FROM case_record WHERE id > :after ORDER BY id LIMIT :limit"):
        made = {case.id: vault.new_key(f"case/{case.id}") for case in cases}
        connection.execute(
            sa.text("INSERT INTO case_key (case_id, key_id, wrapped) VALUES (:case_id, :key_id, :wrapped)"),
            [{"case_id": each, "key_id": by.key_id, "wrapped": by.sealed} for each, (_, by) in made.items()],
        )
        keys = {each: key for each, (key, _) in made.items()}
        _seal_parties(connection, keys)
        _seal_texts(connection, keys)


def _seal_parties(connection: sa.Connection, keys: dict[str, bytes]) -> None:
    columns = ", ".join(PARTY)
    query = f"SELECT id, case_id, {columns} FROM case_party WHERE case_id IN :cases"  # noqa: S608 - names of this file
    for row in _of(connection, query, keys):
        value = {name: getattr(row, name) for name in PARTY}
        value["birth_date"] = str(value["birth_date"]) if value["birth_date"] else None
        _put(connection, "case_party", "id", row.id, _sealed(keys, row.case_id, f"party/{row.id}", value))


def _seal_texts(connection: sa.Connection, keys: dict[str, bytes]) -> None:
    for row in _of(connection, "SELECT case_id, narrative, place FROM case_narrative WHERE case_id IN :cases", keys):
        told = {"narrative": row.narrative, "place": row.place}
        _put(connection, "case_narrative", "case_id", row.case_id, _sealed(keys, row.case_id, "narrative", told))
    for row in _of(connection, "SELECT id, case_id, text FROM case_note WHERE case_id IN :cases", keys):
        _put(connection, "case_note", "id", row.id, _sealed(keys, row.case_id, f"note/{row.id}", row.text))


def _sealed(keys: dict[str, bytes], case_id: str, field: str, value: Any) -> bytes:
    return seal(keys[case_id], msgspec.json.encode(value), f"case/{case_id}/{field}")


def _put(connection: sa.Connection, table: str, key: str, row: str, sealed: bytes) -> None:
    connection.execute(
        sa.text(f"UPDATE {table} SET sealed = :sealed WHERE {key} = :row"),  # noqa: S608 - names of this file
        {"sealed": sealed, "row": row},
    )


def _of(connection: sa.Connection, query: str, keys: dict[str, bytes]) -> list[Any]:
    statement = sa.text(query).bindparams(sa.bindparam("cases", expanding=True))
    return list(connection.execute(statement, {"cases": list(keys)}))


def _slices(connection: sa.Connection, query: str) -> Iterator[list[Any]]:
    after = ""
    while rows := list(connection.execute(sa.text(query), {"after": after, "limit": AT_ONCE})):
        yield rows
        after = rows[-1].id
