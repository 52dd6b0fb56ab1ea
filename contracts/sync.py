"""What the sync service shows: the journal, the links out of this node, the replicas it holds, records and statistics.

Rule 7 of the field shapes everything here: zero, missing, late and suppressed are four different values. A position
or a lag that nobody has told us is null beside a word that says so, and a count stands beside the reading it deserves.
"""

from enum import StrEnum

from marshmallow import ValidationError, fields

from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Instant, Strict, Text, c0, c1

MAX_GROUPS = 3


class LinkState(StrEnum):
    """The closed list of states a link may be in; see docs/protocol.md."""

    CONNECTING = "connecting"
    IDLE = "idle"
    SENDING = "sending"
    WAITING = "waiting"
    BLOCKED = "blocked"
    PAUSED = "paused"
    UNAUTHORISED = "unauthorised"
    ROLLED_BACK = "rolled_back"
    DIVERGED = "diverged"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class ReplicaState(StrEnum):
    """What a replica makes of its origin. See docs/protocol.md, chapter 8, for which take batches."""

    SILENT = "silent"
    OK = "ok"
    ROLLED_BACK = "rolled_back"
    DIVERGED = "diverged"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Reading(StrEnum):
    """How a value is to be read. `exact`: counted from a replica that is up to date with fresh word from its origin.

    `late`: counted, but the origin has more, or has not spoken lately, so the number may be too low.
    `missing`: the origin never sent anything; there is no number. `suppressed`: counted, but some lines were withheld
    from this node, so the number is a lower bound.
    """

    EXACT = "exact"
    LATE = "late"
    MISSING = "missing"
    SUPPRESSED = "suppressed"


class GroupBy(StrEnum):
    """What cases may be counted by."""

    ORIGIN = "origin"
    CATEGORY = "category"
    CATEGORY_GROUP = "category_group"
    MONTH = "month"
    DISTRICT = "district"
    STATUS = "status"
    OUTCOME = "outcome"
    AGE_BAND = "age_band"
    CHANNEL = "channel"


class PositionView(Strict):
    """A place in a journal and everything before it."""

    number = c0(fields.Integer(required=True))
    digest = c0(fields.String(required=True, metadata={"description": "64 hexadecimal digits"}))


class BehindView(Strict):
    """How far a holder is behind its origin; both null when `known` is false."""

    known = c0(fields.Boolean(required=True, metadata={"description": "false: no fresh word, so not zero"}))
    entries = c0(fields.Integer(required=True, allow_none=True))
    seconds = c0(fields.Float(required=True, allow_none=True))


class JournalQuery(Strict):
    """This node's own journal; there is nothing to choose."""


class JournalView(Strict):
    """This node's own journal."""

    origin = c0(fields.String(required=True))
    epoch = c0(fields.Integer(required=True))
    head = c0(fields.Nested(PositionView, required=True))
    recorded_at = c0(fields.AwareDateTime(required=True, allow_none=True))
    parent = c0(
        fields.Nested(
            PositionView,
            required=True,
            allow_none=True,
            metadata={"description": "where this life left the one before it; null in the first"},
        )
    )
    doubt = c0(
        fields.Enum(
            LinkState,
            by_value=True,
            required=True,
            allow_none=True,
            metadata={"description": "why no link sends: rolled_back or diverged; null when nothing is in doubt"},
        )
    )
    doubt_reason = c0(fields.String(required=True, allow_none=True))


class LinkName(Strict):
    """One link, by its destination."""

    destination = c0(Text(max=64, required=True, metadata={"description": "node id, e.g. directorate-erbil"}))


class LinkQuery(Strict):
    """Every link; there are never more than a page."""


class LinkView(Strict):
    """One link out of this node."""

    origin = c0(fields.String(required=True))
    destination = c0(fields.String(required=True))
    clearance = c0(fields.String(required=True))
    state = c0(fields.Enum(LinkState, by_value=True, required=True))
    reason = c0(fields.String(required=True, allow_none=True))
    paused = c0(fields.Boolean(required=True))
    head = c0(fields.Nested(PositionView, required=True))
    held = c0(fields.Nested(PositionView, required=True, allow_none=True))
    behind = c0(fields.Nested(BehindView, required=True))
    last_heard_at = c0(fields.AwareDateTime(required=True, allow_none=True))


class LinkPage(Strict):
    """The links out of this node, in the order of their destinations."""

    items = c0(fields.List(fields.Nested(LinkView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


class ReplicaQuery(Strict):
    """Every replica; there are never more than a page."""


class WitnessView(Strict):
    """How far another directorate was told the same by an origin, when it was last asked."""

    witness = c0(fields.String(required=True, metadata={"description": "node id of the other directorate"}))
    agreed = c0(fields.Integer(required=True, metadata={"description": "both hold the same up to this number"}))
    differs_at = c0(
        fields.Integer(required=True, allow_none=True, metadata={"description": "first number that differs; an alarm"})
    )
    at = c0(fields.AwareDateTime(required=True))


class ReplicaView(Strict):
    """This node's verified copy of one origin's journal."""

    origin = c0(fields.String(required=True))
    epoch = c0(fields.Integer(required=True))
    state = c0(fields.Enum(ReplicaState, by_value=True, required=True))
    reason = c0(fields.String(required=True, allow_none=True))
    held = c0(fields.Nested(PositionView, required=True))
    folded = c0(
        fields.Integer(
            required=True,
            metadata={"description": "the records tell of the entries up to this one; `held`, or a little less"},
        )
    )
    head = c0(fields.Nested(PositionView, required=True, allow_none=True))
    behind = c0(fields.Nested(BehindView, required=True))
    last_heard_at = c0(fields.AwareDateTime(required=True, allow_none=True))
    withheld = c0(
        fields.Integer(required=True, metadata={"description": "entries held of which only the leaf is shown"})
    )
    parked = c0(fields.Integer(required=True, metadata={"description": "subjects that could not be folded"}))
    parent = c0(
        fields.Nested(
            PositionView,
            required=True,
            allow_none=True,
            metadata={"description": "where this life of the journal left the one before it; null in the first"},
        )
    )
    set_aside = c0(
        fields.Integer(required=True, metadata={"description": "entries of a history that the origin has left"})
    )
    witnesses = c0(
        fields.List(
            fields.Nested(WitnessView),
            required=True,
            metadata={"description": "empty: nobody was asked yet, or answered"},
        )
    )


class ReplicaPage(Strict):
    """The replicas this node holds, in the order of their origins."""

    items = c0(fields.List(fields.Nested(ReplicaView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


class QuarantineQuery(PageQuery):
    """Refused messages, newest first; of one origin where it is given."""

    origin = c0(Text(max=64, load_default=None, allow_none=True, metadata={"description": "node id"}))


class QuarantinedView(Strict):
    """A message between nodes that was refused; never what it holds."""

    id = c0(fields.Integer(required=True))
    at = c0(fields.AwareDateTime(required=True))
    queue = c0(fields.String(required=True))
    origin = c0(
        fields.String(required=True, metadata={"description": "whose queue it came by; not proof of who wrote it"})
    )
    reason = c0(fields.String(required=True))


class QuarantinePage(Strict):
    """Refused messages, newest first."""

    items = c0(fields.List(fields.Nested(QuarantinedView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


class ParkedQuery(PageQuery):
    """Entries of one origin that are held but could not become a record."""

    origin = c0(Text(max=64, required=True, metadata={"description": "node id"}))


class ParkedView(Strict):
    """An entry that waits for an upgrade or for an operator; `skipped_at`: for nobody any more."""

    number = c0(fields.Integer(required=True))
    subject = c0(fields.String(required=True))
    reason = c0(fields.String(required=True))
    at = c0(fields.AwareDateTime(required=True))
    skipped_at = c0(fields.AwareDateTime(required=True, allow_none=True))


class ParkedPage(Strict):
    """Parked entries in the order of their numbers."""

    items = c0(fields.List(fields.Nested(ParkedView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


class RecordQuery(PageQuery):
    """Which records: of one kind, of one origin, changed here at or after `since`."""

    kind = c0(Text(max=64, load_default=None, allow_none=True, metadata={"description": "e.g. case"}))
    origin = c0(Text(max=64, load_default=None, allow_none=True, metadata={"description": "node id"}))
    since = c0(Instant(load_default=None, allow_none=True))


class RecordView(Strict):
    """The current state of one subject, as its origin disclosed it to this node."""

    origin = c0(fields.String(required=True))
    kind = c0(fields.String(required=True))
    subject = c0(fields.String(required=True))
    version = c0(fields.Integer(required=True))
    type = c0(fields.String(required=True, metadata={"description": "type of the last fact folded"}))
    number = c0(fields.Integer(required=True, metadata={"description": "its number in the origin's journal"}))
    statistical = c1(fields.Dict(required=True))
    operational = c1(
        fields.Dict(required=True, allow_none=True, metadata={"description": "null: not disclosed to this node"})
    )
    updated_at = c0(fields.AwareDateTime(required=True))


class RecordPage(Strict):
    """Records in a stable order."""

    items = c1(fields.List(fields.Nested(RecordView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


def _groups(text: str) -> None:
    names = text.split(",")
    known = {group.value for group in GroupBy}
    if len(names) > MAX_GROUPS or len(set(names)) < len(names) or not known.issuperset(names):
        raise ValidationError(f"Name one to {MAX_GROUPS} different ones of: {', '.join(sorted(known))}; with commas.")


class CaseStatisticsQuery(Strict):
    """Count cases by up to three properties, e.g. `by=origin,category,month`."""

    by = c0(Text(max=64, load_default="origin", validate=_groups, metadata={"description": "with commas between"}))


class ClassCounts(Strict):
    """How many cases of each class; the classes given at intake and the present ones are always shown side by side."""

    crime_indicated = c1(fields.Integer(required=True))
    non_crime = c1(fields.Integer(required=True))
    undetermined = c1(fields.Integer(required=True))


class CaseCount(Strict):
    """One group of cases. `group` has the properties asked for; null there means: not disclosed to this node.

    A duplicate is counted at the case that it tells again, and here among `duplicates`, in no class. `reclassified`:
    whose present class is not the one of intake; each stands as a record of kind `reclassification`."""

    group = c1(fields.Dict(required=True))
    cases = c1(fields.Integer(required=True))
    duplicates = c1(fields.Integer(required=True))
    reclassified = c1(fields.Integer(required=True))
    recording_class = c1(fields.Nested(ClassCounts, required=True))
    current_class = c1(fields.Nested(ClassCounts, required=True))
    reading = c0(fields.Enum(Reading, by_value=True, required=True))


class CoverageView(Strict):
    """How far the numbers of one origin can be trusted. `cases` is null when nothing ever came from there."""

    origin = c0(fields.String(required=True))
    reading = c0(fields.Enum(Reading, by_value=True, required=True))
    cases = c1(fields.Integer(required=True, allow_none=True))
    held = c0(fields.Integer(required=True, metadata={"description": "the last entry that is counted"}))
    behind = c0(fields.Nested(BehindView, required=True))
    last_heard_at = c0(fields.AwareDateTime(required=True, allow_none=True))
    withheld = c0(fields.Integer(required=True))


class CaseStatistics(Strict):
    """Counts of cases and, for every origin, how they are to be read: no row is not the same as zero."""

    by = c0(fields.List(fields.String(), required=True))
    rows = c1(fields.List(fields.Nested(CaseCount), required=True))
    coverage = c0(fields.List(fields.Nested(CoverageView), required=True))


class Operation(StrEnum):
    """What an operator may do to links, peers, replicas and what was put aside. Each is audited and is a fact."""

    PAUSE_LINK = "pause_link"
    RESUME_LINK = "resume_link"
    EXPORT_BUNDLE = "export_bundle"
    IMPORT_BUNDLE = "import_bundle"
    REPAIR_RECORDS = "repair_records"
    DISCARD_QUARANTINED = "discard_quarantined"
    RETRY_PARKED = "retry_parked"
    SKIP_PARKED = "skip_parked"
    ADMIT_NODE = "admit_node"
    PIN_NODE = "pin_node"
    REVOKE_NODE = "revoke_node"
    RECOVER_JOURNAL = "recover_journal"
    KEEP_JOURNAL = "keep_journal"
    SET_ASIDE = "set_aside"


class OperationFact(FactSchema):
    """What an operator did to the replication of a node, so that it stands in a history nobody can rewrite.

    Who did it and the reason given stay in the audit log of the node. A governorate's operations are read by its
    directorates; a directorate's are addressed to itself: the governorates see that an entry is there, not what it is.
    """

    kind = "operation"
    events = ("done",)

    action = statistical(fields.Enum(Operation, by_value=True, required=True))
    about = statistical(fields.String(required=True, metadata={"description": "the node at the other side"}))
    count = operational(
        fields.Integer(required=True, allow_none=True, metadata={"description": "how many entries or messages"})
    )
