"""The audit log as the inspectorate reads it: whole, but for what the wall keeps from this very reader."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, select

from contracts import roles
from kernel.audit import AuditEntry
from kernel.errors import Forbidden, refuse
from kernel.identity import Actor
from kernel.paging import Page, page
from services.case import wall
from services.case.reach import reached
from services.case.tables import Base, CaseRecord

BESIDE = tuple(table for table in Base.metadata.tables.values() if {"id", "case_id"} <= set(table.c.keys()))
"""Everything that belongs to a case and has an id of its own, which a line of the log may be about."""


def list_audit(session: Session, values: dict[str, Any], *, by: Actor) -> Page[AuditEntry]:
    """Lines, newest first. Raises `Forbidden` for an account that reaches no case whatever else it is."""
    if by.has(*roles.CASE_BARRED):
        refuse(Forbidden)
    statement = select(AuditEntry)
    for condition in _kept_from(by):
        statement = statement.where(~condition)
    if values["of_subject"] is not None:
        statement = statement.where(AuditEntry.subject == values["of_subject"])
    if values["of_account"] is not None:
        statement = statement.where(AuditEntry.actor_id == values["of_account"])
    if values["since"] is not None:
        statement = statement.where(AuditEntry.at >= values["since"])
    return page(
        session, statement, key=AuditEntry.number, limit=values["limit"], after=values["after"], descending=True
    )


def _kept_from(actor: Actor) -> list[ColumnElement[bool]]:
    """The conditions under which a line is about what the wall keeps from `actor`: a case, or what stands beside it."""
    hidden = select(CaseRecord.id).where(wall.behind(), ~reached(actor))
    subject: Any = AuditEntry.subject
    beside = [subject.in_(select(table.c.id).where(table.c.case_id.in_(hidden))) for table in BESIDE]
    return [subject.in_(hidden), *beside]
