"""Facts that the engines of nodes tell of replication itself: what a directorate relays, and that it arrived."""

from marshmallow import fields

from kernel.fact import FactSchema, operational, statistical


class RelayedFact(FactSchema):
    """A fact of one governorate for another, carried on in a directorate's own journal, addressed to those it is for.

    The subject is the id of the fact that is carried. Its parts stand here as text, byte for byte; what was sealed is
    the sealed part. `before` and `digest` are the digests of the origin's journal around the entry, so that the
    receiver can check that what it got is what was committed there.
    """

    kind = "relayed"
    events = ("",)

    origin = operational(fields.String(required=True, metadata={"description": "node id of the governorate"}))
    epoch = operational(fields.Integer(required=True))
    number = operational(fields.Integer(required=True, metadata={"description": "in the origin's journal"}))
    before = operational(fields.String(required=True, metadata={"description": "64 hexadecimal digits"}))
    digest = operational(fields.String(required=True, metadata={"description": "64 hexadecimal digits"}))
    head = operational(fields.String(required=True, metadata={"description": "exactly as the origin wrote it"}))
    statistical_part = operational(fields.String(required=True, metadata={"description": "likewise"}))
    operational_part = operational(fields.String(required=True, metadata={"description": "likewise"}))
    salt = operational(fields.String(required=True, metadata={"description": "32 hexadecimal digits, or none"}))


class ArrivedFact(FactSchema):
    """What a directorate relayed to this governorate has arrived; the other directorate need not relay it too.

    The subject is a hash of the id of the fact that arrived: it tells something only to who knows that id.
    """

    kind = "arrived"
    events = ("",)

    receipt = statistical(fields.String(required=True, metadata={"description": "64 hexadecimal digits"}))


class KeyFact(FactSchema):
    """A node changed the key with which it signs what it replicates: entries after this one are carried by the new key.

    The subject is the id of the new key. Both signatures stand over the same words: the former key says who follows it,
    the new one that its holder has it. See docs/protocol.md, chapter 17.
    """

    kind = "key"
    events = ("rotated",)

    former = statistical(fields.String(required=True, metadata={"description": "id of the key until now"}))
    key = statistical(fields.String(required=True, metadata={"description": "64 hexadecimal digits"}))
    by_former = statistical(fields.String(required=True, metadata={"description": "signature, 128 hexadecimal digits"}))
    by_itself = statistical(fields.String(required=True, metadata={"description": "signature, 128 hexadecimal digits"}))
