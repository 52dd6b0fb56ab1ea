"""Rows as the contract shows them, in the reader's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.paging import Page
from services.notify.tables import AcknowledgementRow, ContactRow, DeliveryRow, DirectiveRow, NotificationRow
from services.notify.texts import text


def contact(row: ContactRow) -> dict[str, Any]:
    return {"account_id": row.account_id, "version": row.version, "active": row.active}


def notification(row: NotificationRow, language: str) -> dict[str, Any]:
    said = text(row.rule, language)
    return {
        "id": row.id,
        "rule": row.rule,
        "about": row.about,
        "subject": row.subject,
        "reference": row.reference,
        "title": said.title,
        "text": said.text,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }


def notification_page(found: Page[NotificationRow], unread: int, language: str) -> dict[str, Any]:
    return {
        "items": [notification(row, language) for row in found.items],
        "next": found.next,
        "unread": unread,
    }


def directive(row: DirectiveRow, acknowledgements: Sequence[AcknowledgementRow]) -> dict[str, Any]:
    return {
        "id": row.id,
        "origin": row.origin,
        "title": row.title,
        "text": row.text,
        "governorates": row.governorates,
        "issued_at": row.issued_at,
        "acknowledgements": [{"node": given.node, "role": given.role, "at": given.at} for given in acknowledgements],
    }


def directive_page(
    found: Page[DirectiveRow], acknowledgements: Mapping[str, Sequence[AcknowledgementRow]]
) -> dict[str, Any]:
    return {"items": [directive(row, acknowledgements[row.id]) for row in found.items], "next": found.next}


def delivery(row: DeliveryRow, rule: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "rule": rule,
        "state": row.state,
        "attempts": row.attempts,
        "cause": row.cause,
        "reply": row.reply,
        "message_id": row.message_id,
        "created_at": row.created_at,
        "next_at": row.next_at,
        "sent_at": row.sent_at,
    }


def delivery_page(found: Page[DeliveryRow], rules: Mapping[str, str]) -> dict[str, Any]:
    return {"items": [delivery(row, rules[row.notification_id]) for row in found.items], "next": found.next}
