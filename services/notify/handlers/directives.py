"""Directives: issued at a directorate, acknowledged at a governorate by name of role."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session

from contracts.notify import ACKNOWLEDGING, AcknowledgementFact, DirectiveFact
from contracts.roles import Role
from kernel import outbox
from kernel.errors import BadInput, Conflict, Forbidden, NotFound, refuse
from kernel.fact import compose
from kernel.identity import Actor
from kernel.ids import new_id
from kernel.paging import Page, page
from services.notify.tables import AcknowledgementRow, DirectiveRow


class DirectiveNotFound(NotFound):
    """There is no directive {subject} here."""

    code = "directive_not_found"


class NotADirectorate(Conflict):
    """Directives are issued by a directorate; {node} is not one."""

    code = "not_a_directorate"


class OwnDirective(Conflict):
    """A directive is acknowledged by the governorates it went to, not by the directorate that issued it."""

    code = "own_directive"


def issue_directive(
    session: Session, values: Mapping[str, Any], *, node: str, governorates: Collection[str], now: datetime
) -> DirectiveRow:
    """Issue a directive from the directorate `node` to the listed governorates, or to all when none is listed.

    `governorates`: those that `node` has a link to; empty at a governorate. Raises `NotADirectorate`, `BadInput`.
    """
    if not governorates:
        refuse(NotADirectorate, node=node)
    audience = sorted(set(values["governorates"]))
    if strangers := sorted(set(audience) - set(governorates)):
        raise BadInput("This directorate has no link to some of these.", where={"governorates": strangers})
    if not values["title"] or values["title"].keys() != values["text"].keys():
        given = {"title": sorted(values["title"]), "text": sorted(values["text"])}
        raise BadInput("Give the title and the text in the same languages, one at least.", where=given)
    row = DirectiveRow(
        id=new_id(),
        origin=node,
        title=dict(values["title"]),
        text=dict(values["text"]),
        governorates=audience,
        issued_at=now,
    )
    session.add(row)
    wording = {"title": row.title, "text": row.text}
    outbox.append(
        session,
        compose(
            DirectiveFact, "issued", id=new_id(), subject=row.id, version=1, values=wording, at=now, audience=audience
        ),
    )
    return row


def acknowledge_directive(
    session: Session, directive_id: str, role: Role, *, by: Actor, node: str, now: datetime
) -> DirectiveRow:
    """Record that this node has the directive, and tell the directorate that issued it. Repeating changes nothing.

    Raises `DirectiveNotFound`, `OwnDirective`, and `Forbidden` for a role that the caller does not hold.
    """
    if role not in ACKNOWLEDGING or not by.has(role):
        raise Forbidden("Acknowledge in a role of your own.", needs=sorted(ACKNOWLEDGING))
    directive = session.get(DirectiveRow, directive_id, with_for_update=True) or refuse(
        DirectiveNotFound, subject=directive_id
    )
    if directive.origin == node:
        refuse(OwnDirective)
    if not _acknowledged(session, directive_id, node, role):
        row = AcknowledgementRow(id=new_id(), directive_id=directive_id, node=node, role=role, at=now)
        session.add(row)
        outbox.append(
            session,
            compose(
                AcknowledgementFact,
                "given",
                id=new_id(),
                subject=row.id,
                version=1,
                values={"directive": directive_id, "role": role},
                at=now,
                audience=[directive.origin],
            ),
        )
        session.flush()
    return directive


def _acknowledged(session: Session, directive_id: str, node: str, role: Role) -> bool:
    same = (
        AcknowledgementRow.directive_id == directive_id,
        AcknowledgementRow.node == node,
        AcknowledgementRow.role == role,
    )
    return session.scalars(select(AcknowledgementRow.id).where(*same)).first() is not None


def list_directives(
    session: Session, *, acknowledged: bool | None, limit: int, after: str | None
) -> Page[DirectiveRow]:
    """One page of the directives known here, newest first; those acknowledged (or not) when asked for."""
    statement = select(DirectiveRow)
    if acknowledged is not None:
        given = exists().where(AcknowledgementRow.directive_id == DirectiveRow.id)
        statement = statement.where(given if acknowledged else ~given)
    return page(session, statement, key=DirectiveRow.id, limit=limit, after=after, descending=True)


def acknowledgements(session: Session, directives: Sequence[DirectiveRow]) -> dict[str, list[AcknowledgementRow]]:
    """What acknowledgements are known here of each directive, by its id, in the order they were given."""
    ids = [directive.id for directive in directives]
    rows = session.scalars(
        select(AcknowledgementRow)
        .where(AcknowledgementRow.directive_id.in_(ids))
        .order_by(AcknowledgementRow.at, AcknowledgementRow.id)
    ).all()
    return {key: [row for row in rows if row.directive_id == key] for key in ids}
