"""`jisr proof`: did a report exist, when, and where does the journal say so?"""

import hashlib
from typing import Annotated, Any

import typer
from marshmallow import ValidationError
from sqlalchemy import select
from sqlmodel import Session

from contracts.case.receipts import Proof
from kernel.errors import BadInput
from node.commands.link import sync_database
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, explained, rows_table, show
from node.processes import prepare
from services.sync.tables import JournalEntry, Record

COLUMNS = ["origin", "entry", "month", "case_number", "recorded_at"]


def proof(
    signs: Annotated[str, typer.Argument(metavar="PROOF", help="The sixteen signs under a receipt's digits.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Look in this node's journal and replicas for the report that a receipt's proof belongs to. Exit code 1: none.

    Works where the receipt was given and at the home directorate, also when the case itself is no longer there.

    Example: jisr proof 7K2M-9QXA-4RTE-0HJ8 --settings ninewa.toml
    """
    with explained():
        prepared = prepare(settings)
        database = sync_database(prepared)
        try:
            with database.read() as session:
                found = look(session, prepared.node.id, _commitment(signs))
        finally:
            database.close()
        show(found, as_json=as_json, table=lambda: rows_table(COLUMNS, found))
    if not found:
        raise typer.Exit(FOUND_WRONG)


def _commitment(signs: str) -> str:
    try:
        return hashlib.sha256(str(Proof().deserialize(signs)).encode()).hexdigest()
    except ValidationError as error:
        raise BadInput("A proof has sixteen letters and digits.") from error


def look(session: Session, node: str, commitment: str) -> list[dict[str, Any]]:
    """What is held of the receipt with this commitment: one line for each origin that told of it."""
    records = select(Record).where(Record.kind == "receipt").execution_options(yield_per=500)
    found = []
    for record in session.scalars(records):
        told = record.operational or {}
        if told.get("commitment") == commitment:
            entry = _issued(session, commitment) if record.origin == node else None
            found.append(
                {
                    "origin": record.origin,
                    "entry": entry.number if entry else record.number,
                    "month": record.statistical.get("month"),
                    "case_number": told.get("case_number"),
                    "recorded_at": entry.recorded_at if entry else None,
                }
            )
    return found


def _issued(session: Session, commitment: str) -> JournalEntry | None:
    """The journal's own line in which the receipt was given."""
    given = select(JournalEntry).where(JournalEntry.type == "receipt.issued.v1").execution_options(yield_per=500)
    return next((row for row in session.scalars(given) if commitment.encode() in row.operational), None)
