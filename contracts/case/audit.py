"""Who read and who was refused: the audit log of the case service, for the inspectorate.

| door | request | answer | group | API |
|---|---|---|---|---|
| `list_audit` | AuditQuery | AuditPage | AUDIT_READ | GET /audit |

A line about a case that the wall keeps from the reader is not in the list, as if it had never been written.
"""

from marshmallow import fields

from contracts.case.shapes import shown_instant, shown_text
from kernel.paging import PageQuery
from kernel.schema import Instant, Strict, Text, c1, c2, c4


class AuditQuery(PageQuery):
    """Lines of the audit log, newest first; about one subject or by one account."""

    of_subject = c1(Text(max=64, load_default=None, allow_none=True, metadata={"description": "id of a record"}))
    of_account = c2(Text(max=64, load_default=None, allow_none=True, metadata={"description": "id of an account"}))
    since = c1(Instant(load_default=None, allow_none=True))


class AuditLine(Strict):
    """Who did what to which subject, allowed or refused. `reason`: what they said, or the code of the refusal."""

    at = c1(shown_instant())
    actor_id = c2(shown_text(empty=True))
    action = c1(shown_text())
    subject = c1(shown_text())
    outcome = c1(shown_text())
    reason = c4(shown_text(empty=True))


class AuditPage(Strict):
    items = c4(fields.List(fields.Nested(AuditLine), required=True))
    next = c1(shown_text(empty=True))
