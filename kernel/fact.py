"""A fact: what happened and how the record stands now, in three parts by who may see it.

A part is the exact bytes that the origin wrote once. Nobody serialises them again: digests are taken over these bytes.
Deny by default: a schema field that declares no part makes the class definition itself fail.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, ClassVar, TypeVar, cast

import msgspec
from marshmallow import Schema, fields
from marshmallow.schema import SchemaMeta

from kernel.errors import BadInput, TooLarge

AnyField = TypeVar("AnyField", bound=fields.Field)
MAX_OPEN_BYTES = 256 * 1024  # head, statistical and operational; a record's state has a few hundred bytes
MAX_ADDRESSED_BYTES = 120 * 1024  # of these in a fact with an audience: relayed as JSON in JSON it may double
MAX_SEALED_BYTES = 256 * 1024  # a sealed case has tens of KiB; files follow in facts of their own
MAX_DEPTH = 32  # of JSON nesting in a part; facts are flat, and parsers differ in how deep they go
MAX_FACT_BYTES = 640 * 1024  # an envelope: the open parts, and the sealed one in base64


class Part(StrEnum):
    """Who may see a field: every directorate, the home directorate, or the holder of one key."""

    STATISTICAL = "statistical"
    OPERATIONAL = "operational"
    SEALED = "sealed"


class NotAFact(BadInput):
    """This message is not a fact."""

    code = "not_a_fact"


def _marked(field: AnyField, part: Part) -> AnyField:
    field.metadata = {**field.metadata, "part": part}
    return field


def statistical(field: AnyField) -> AnyField:
    """Declare that every directorate may see this field."""
    return _marked(field, Part.STATISTICAL)


def operational(field: AnyField) -> AnyField:
    """Declare that only the home directorate may see this field."""
    return _marked(field, Part.OPERATIONAL)


def sealed(field: AnyField) -> AnyField:
    """Declare that this field travels only encrypted to one node's key."""
    return _marked(field, Part.SEALED)


class _Declared(SchemaMeta):
    """Checks a fact schema when its class is made: marshmallow knows the declared fields only then."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:  # noqa: N805 - a metaclass
        super().__init__(name, bases, namespace)
        unmarked = sorted(key for key, field in cls._declared_fields.items() if "part" not in field.metadata)
        if unmarked:
            raise TypeError(f"{name}: no part declared for {', '.join(unmarked)}")
        if "kind" in namespace:
            schema = cast("type[FactSchema]", cls)
            FACT_SCHEMAS[f"{schema.kind}.v{schema.version}"] = schema


FACT_SCHEMAS: dict[str, "type[FactSchema]"] = {}  # every published shape, by kind and version


class FactSchema(Schema, metaclass=_Declared):
    """The published shape of one kind of record. Every field declares its part; the class cannot be made otherwise."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    events: ClassVar[tuple[str, ...]] = ()  # what may happen to it; a published shape names them all
    between_governorates: ClassVar[bool] = False  # whether one may tell another, by relay; refused there if not

    at = operational(fields.AwareDateTime(required=True, metadata={"description": "when it happened, UTC"}))


@dataclass(frozen=True)
class Fact:
    """One fact. `head`, `statistical`, `operational`: canonical JSON objects; an absent part is empty.

    `restricted` is known at the origin only: such a fact is `withheld` on links with `statistical` clearance.
    """

    head: bytes
    statistical: bytes
    operational: bytes = b""
    sealed: bytes = b""
    restricted: bool = False

    @cached_property
    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = msgspec.json.decode(self.head)
        return head

    @property
    def id(self) -> str:
        return str(self._head["id"])

    @property
    def type(self) -> str:
        return str(self._head["type"])

    @property
    def kind(self) -> str:
        """The record kind: what stands before the first dot of the type."""
        return self.type.partition(".")[0]

    @property
    def subject(self) -> str:
        return str(self._head["subject"])

    @property
    def version(self) -> int:
        return int(self._head["version"])

    @property
    def audience(self) -> tuple[str, ...]:
        return tuple(self._head["audience"])

    def statistical_values(self) -> dict[str, Any]:
        return _object(self.statistical)

    def operational_values(self) -> dict[str, Any]:
        return _object(self.operational)


def check_size(fact: Fact) -> None:
    """Raise `TooLarge` for a fact that the journal, a link or a relay could not carry."""
    opened = len(fact.head) + len(fact.statistical) + len(fact.operational)
    limit = MAX_ADDRESSED_BYTES if fact.audience else MAX_OPEN_BYTES
    if opened > limit:
        raise TooLarge(f"The open parts of this fact have {opened} bytes; {limit} can be carried.", limit=limit)
    if len(fact.sealed) > MAX_SEALED_BYTES:
        raise TooLarge(
            f"The sealed part of this fact has {len(fact.sealed)} bytes; {MAX_SEALED_BYTES} can be carried.",
            limit=MAX_SEALED_BYTES,
        )


def type_of(kind: str, event: str, version: int) -> str:
    """The type of a fact, e.g. `case.opened.v1`; a kind to which only one thing happens has no event: `relayed.v1`."""
    return f"{kind}.{event}.v{version}" if event else f"{kind}.v{version}"


def _object(raw: bytes) -> dict[str, Any]:
    return dict(msgspec.json.decode(raw)) if raw else {}


def canonical(value: Any) -> bytes:
    """Compact UTF-8 JSON with sorted keys: how the origin writes a part, once."""
    return msgspec.json.encode(value, order="sorted")


@cache
def form_of(schema: type[FactSchema]) -> FactSchema:
    """One instance of each shape: making one copies every field, and dumping changes none."""
    return schema()


def compose(
    schema: type[FactSchema],
    event: str,
    *,
    id: str,
    subject: str,
    version: int,
    values: Mapping[str, Any],
    at: datetime,
    audience: Sequence[str] = (),
    restricted: bool = False,
    sealed: bytes = b"",
) -> Fact:
    """The fact that `event` happened to `subject`, whose state is now `values`.

    `values` holds what the schema declares, by field name; what the schema does not declare is refused (TypeError),
    what does not validate raises `BadInput`. A field in the sealed part cannot be given here: pass the ciphertext.
    """
    if schema.events and event not in schema.events:
        raise TypeError(f"{schema.__name__} declares no event {event}")
    form = form_of(schema)
    unknown = sorted(set(values) - set(form.fields))
    if unknown:
        raise TypeError(f"{schema.__name__} declares no {', '.join(unknown)}; it cannot be put in a fact")
    shown = form.dump({**values, "at": at})
    problems = form.validate(shown)
    if problems:
        raise BadInput(f"The state of this {schema.kind} does not fit its published shape.", where=problems)
    parts: dict[str, dict[str, Any]] = {part: {} for part in Part}
    for name, value in shown.items():
        parts[form.fields[name].metadata["part"]][name] = value
    if parts[Part.SEALED]:
        raise TypeError(f"{schema.__name__}: sealed fields must be encrypted first")
    head = {
        "id": id,
        "type": type_of(schema.kind, event, schema.version),
        "subject": subject,
        "version": version,
        "audience": list(audience),
    }
    return Fact(
        head=canonical(head),
        statistical=canonical(parts[Part.STATISTICAL]),
        operational=canonical(parts[Part.OPERATIONAL]) if parts[Part.OPERATIONAL] else b"",
        sealed=sealed,
        restricted=restricted,
    )


class _Head(msgspec.Struct, forbid_unknown_fields=False):
    id: str
    type: str
    subject: str
    version: int
    audience: list[str]


class _Envelope(msgspec.Struct):
    head: msgspec.Raw
    statistical: msgspec.Raw
    operational: msgspec.Raw = msgspec.Raw(b"null")
    sealed: str | None = None
    restricted: bool = False


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def pack(fact: Fact) -> bytes:
    """The envelope in which a fact travels inside its own node; the parts' bytes stand in it unchanged."""
    envelope = _Envelope(
        head=msgspec.Raw(fact.head),
        statistical=msgspec.Raw(fact.statistical),
        operational=msgspec.Raw(fact.operational or b"null"),
        sealed=base64.b64encode(fact.sealed).decode() if fact.sealed else None,
        restricted=fact.restricted,
    )
    return msgspec.json.encode(envelope)


def is_deep(part: bytes) -> bool:
    """Whether JSON nests deeper than `MAX_DEPTH`: what one parser reads and another refuses is refused by all."""
    if part.count(b"{") + part.count(b"[") <= MAX_DEPTH:
        return False
    try:
        return _depth(msgspec.json.decode(part)) > MAX_DEPTH
    except RecursionError:
        return True


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def unpack(raw: bytes) -> Fact:
    """The fact that `pack` wrote, its parts byte for byte. Raises `NotAFact` for anything else."""
    if len(raw) > MAX_FACT_BYTES:
        raise NotAFact(f"This message has {len(raw)} bytes; a fact has {MAX_FACT_BYTES} at most.")
    try:
        raw.decode()  # JSON is UTF-8; the codec does not look into strings that it passes over
        envelope = _decode_envelope(raw)
        head = _decode_head(envelope.head)
        _decode_object(envelope.statistical)
        operational = bytes(envelope.operational)
        if operational != b"null":
            _decode_object(operational)
        sealed = base64.b64decode(envelope.sealed or "", validate=True)
    except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise NotAFact(f"This message is not a fact: {type(error).__name__}.") from error
    if any(map(is_deep, (bytes(envelope.head), bytes(envelope.statistical), operational))):
        raise NotAFact(f"This message is not a fact: a part of it is nested deeper than {MAX_DEPTH}.")
    if head.version < 1 or not head.type or not head.id or not head.subject:
        raise NotAFact("This message is not a fact: its head lacks an id, type, subject or a version from 1.")
    return Fact(
        head=bytes(envelope.head),
        statistical=bytes(envelope.statistical),
        operational=b"" if operational == b"null" else operational,
        sealed=sealed,
        restricted=envelope.restricted,
    )
