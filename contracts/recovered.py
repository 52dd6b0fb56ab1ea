"""Records that came back from a directorate after a restore, as the services that own them show them."""

from marshmallow import fields

from kernel.paging import PageQuery
from kernel.schema import Strict, c0, c1


class RecoveredQuery(PageQuery):
    """Every record that came back."""


class RecoveredView(Strict):
    """A record of which something was lost, or that had to take another number. `incomplete`: enter it again."""

    kind = c0(fields.String(required=True))
    subject = c1(fields.String(required=True, metadata={"description": "id of the record"}))
    number = c1(fields.String(required=True, allow_none=True))
    former_number = c1(
        fields.String(required=True, allow_none=True, metadata={"description": "the number on its paper"})
    )
    version = c0(fields.Integer(required=True))
    status = c1(fields.String(required=True, allow_none=True))
    incomplete = c0(fields.Boolean(required=True))
    recovered_at = c0(fields.AwareDateTime(required=True))


class RecoveredPage(Strict):
    """Records that came back, in the order of their ids."""

    items = c1(fields.List(fields.Nested(RecoveredView), required=True))
    next = c0(fields.String(required=True, allow_none=True))
