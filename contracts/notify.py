"""The published language of notify: inboxes, directives and what acknowledges them.

Doors, all POST `/doors/<name>` with a signed actor:

| door | request | answer | who |
|---|---|---|---|
| `put_contact` | PutContact | ContactView | the gateway itself, see below |
| `list_notifications` | NotificationQuery | NotificationPage | every account, its own inbox |
| `read_notification` | ReadNotification | NotificationView | the owner |
| `issue_directive` | IssueDirective | DirectiveView | `directive_author`, at a directorate |
| `list_directives` | DirectiveQuery | DirectivePage | every account |
| `acknowledge_directive` | AcknowledgeDirective | DirectiveView | who holds the role that is named, at a governorate |
| `list_deliveries` | DeliveryQuery | DeliveryPage | operators |
| `replay_delivery` | ReplayDelivery | DeliveryView | operators |

Notify learns who works here only from `put_contact`: addresses are C2 and never enter a fact or the journal. The
gateway calls it with the actor `GATEWAY` (its id; role `node_admin`) each time an account is made or changed, and
again until it has been answered. `version` is the account's own version: a late repeat of an older state changes
nothing.
"""

from marshmallow import fields, validate

from contracts.roles import Role
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c1, c2

GATEWAY = "gateway"
"""The id of the actor with which the gateway speaks for itself; `put_contact` listens to no other."""

LANGUAGES = ("ar", "ckb", "en")
"""The languages that texts exist in. An account that reads another one is written to in the first."""

ACKNOWLEDGING = (Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR)
"""Who receives a directive at a governorate, and in whose role it is acknowledged. The first speaks for the node."""

DELIVERY_STATES = ("waiting", "sending", "sent", "dead", "dropped")

CAUSES = (
    "unreachable",
    "timed_out",
    "unconfirmed",
    "insecure",
    "refused_login",
    "refused_sender",
    "refused_recipient",
    "refused_message",
    "no_address",
    "account_inactive",
)
"""Why an e-mail is waiting again, dead or dropped. The server's own words are not kept: they may repeat an address."""


# Contacts


class PutContact(Strict):
    """An account as it stands now, from the gateway."""

    account_id = c2(Text(max=64, required=True))
    version = c1(fields.Integer(required=True, strict=True, validate=validate.Range(min=1)))
    roles = c2(fields.List(fields.Enum(Role, by_value=True), required=True))
    unit = c1(Text(max=64, load_default=None, allow_none=True))
    forums = c1(fields.List(Text(max=64), load_default=list))
    language = c1(Text(max=8, load_default=LANGUAGES[0]))
    email = c2(fields.Email(load_default=None, allow_none=True, validate=validate.Length(max=254)))
    active = c1(fields.Boolean(load_default=True))


class ContactView(Strict):
    """What notify holds about an account; it never shows the address."""

    account_id = c2(fields.String(required=True))
    version = c1(fields.Integer(required=True))
    active = c1(fields.Boolean(required=True))


# The inbox


class NotificationQuery(PageQuery):
    """One's own inbox, newest first. `unread` shows only what has (false: has not) to be read yet."""

    unread = c1(fields.Boolean(load_default=None, allow_none=True))


class ReadNotification(Strict):
    """Mark one notification read. Repeating it changes nothing."""

    notification_id = c1(Id(required=True))


class NotificationView(Strict):
    """`about` and `subject` name the record to open; `reference` is its printed number, if it has one."""

    id = c1(fields.String(required=True))
    rule = c1(fields.String(required=True))
    about = c1(fields.String(required=True))
    subject = c1(fields.String(required=True))
    reference = c1(fields.String(required=True, allow_none=True))
    title = c1(fields.String(required=True))
    text = c1(fields.String(required=True))
    created_at = c1(fields.AwareDateTime(required=True))
    read_at = c1(fields.AwareDateTime(required=True, allow_none=True))


class NotificationPage(Strict):
    items = c1(fields.List(fields.Nested(NotificationView), required=True))
    next = c1(fields.String(required=True, allow_none=True))
    unread = c1(fields.Integer(required=True, metadata={"description": "how many of the whole inbox are unread"}))


# Directives


class Wording(Strict):
    """One short text in one or more languages; the title and the text of a directive are given in the same ones."""

    ar = c1(Text(max=200))
    ckb = c1(Text(max=200))
    en = c1(Text(max=200))


class LongWording(Strict):
    """One long text in one or more languages."""

    ar = c1(Text(max=8000, multiline=True))
    ckb = c1(Text(max=8000, multiline=True))
    en = c1(Text(max=8000, multiline=True))


class IssueDirective(Strict):
    """A directive for every governorate, or for those listed. It names no person (C1)."""

    title = c1(fields.Nested(Wording, required=True))
    text = c1(fields.Nested(LongWording, required=True))
    governorates = c1(fields.List(Text(max=64), load_default=list, validate=validate.Length(max=64)))


class AcknowledgeDirective(Strict):
    """Say that this governorate has the directive, in one of one's own roles; no name is recorded upwards."""

    directive_id = c1(Id(required=True))
    role = c1(fields.Enum(Role, by_value=True, required=True))


class DirectiveQuery(PageQuery):
    """Directives, newest first. `acknowledged` asks for those that this node has (false: has not) acknowledged."""

    acknowledged = c1(fields.Boolean(load_default=None, allow_none=True))


class AcknowledgementView(Strict):
    node = c1(fields.String(required=True))
    role = c1(fields.String(required=True))
    at = c1(fields.AwareDateTime(required=True))


class DirectiveView(Strict):
    """`governorates` empty: for all. A governorate knows its own acknowledgements, the issuing directorate all."""

    id = c1(fields.String(required=True))
    origin = c1(fields.String(required=True))
    title = c1(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    text = c1(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    governorates = c1(fields.List(fields.String(), required=True))
    issued_at = c1(fields.AwareDateTime(required=True))
    acknowledgements = c1(fields.List(fields.Nested(AcknowledgementView), required=True))


class DirectivePage(Strict):
    items = c1(fields.List(fields.Nested(DirectiveView), required=True))
    next = c1(fields.String(required=True, allow_none=True))


# E-mail, for operators


class DeliveryQuery(PageQuery):
    """E-mails by state, newest first; without a state the dead ones."""

    state = c1(Text(max=16, load_default="dead", validate=validate.OneOf(DELIVERY_STATES)))


class ReplayDelivery(Strict):
    """Send a dead or dropped e-mail again, from the beginning of its retries."""

    delivery_id = c1(Id(required=True))


class DeliveryView(Strict):
    """One e-mail and how it stands. Neither address nor account is shown: `message_id` finds it in a mail log."""

    id = c1(fields.String(required=True))
    rule = c1(fields.String(required=True))
    state = c1(fields.String(required=True))
    attempts = c1(fields.Integer(required=True))
    cause = c1(fields.String(required=True, allow_none=True))
    reply = c1(fields.Integer(required=True, allow_none=True, metadata={"description": "the server's SMTP reply code"}))
    message_id = c1(fields.String(required=True))
    created_at = c1(fields.AwareDateTime(required=True))
    next_at = c1(fields.AwareDateTime(required=True, allow_none=True))
    sent_at = c1(fields.AwareDateTime(required=True, allow_none=True))


class DeliveryPage(Strict):
    items = c1(fields.List(fields.Nested(DeliveryView), required=True))
    next = c1(fields.String(required=True, allow_none=True))


# Facts


class DirectiveFact(FactSchema):
    """`directive.issued.v1`, from a directorate down. Audience empty: every governorate; otherwise those listed."""

    kind = "directive"
    events = ("issued",)

    title = operational(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    text = operational(fields.Dict(keys=fields.String(), values=fields.String(), required=True))


class AcknowledgementFact(FactSchema):
    """`acknowledgement.given.v1`, from a governorate up to the directorate that issued the directive (its audience).

    Directive and role are statistical: the issuing directorate need not be this governorate's home.
    """

    kind = "acknowledgement"
    events = ("given",)

    directive = statistical(fields.String(required=True))
    role = statistical(fields.Enum(Role, by_value=True, required=True))
