"""Evidence: files of a case, sent in parts, each small enough for one request; kept sealed, each view noted.

Parts because lines are bad: what was sent is not sent again, and no request is larger than any other."""

import base64
import binascii
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate

from kernel.paging import PageQuery
from kernel.schema import Id, Strict, Text, c1, c2, c4

PART_BYTES = 512 * 1024
"""One part, 683 KiB as base64: with the rest of the request below the 1 MiB that a body may have."""
LARGEST_MIB = 1024


class MediaType(StrEnum):
    """What a file may be: what telephones and scanners make, and nothing that is executed."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"
    MP4 = "video/mp4"
    THREE_GP = "video/3gpp"
    M4A = "audio/mp4"
    MP3 = "audio/mpeg"
    OGG = "audio/ogg"
    AMR = "audio/amr"
    WAV = "audio/wav"


class EvidenceState(StrEnum):
    """`awaiting` its parts; `kept`, complete and what it says; `refused`, not what it says; `erased` with the case;
    `elsewhere`: the case came from another governorate, and its file is still there."""

    AWAITING = "awaiting"
    KEPT = "kept"
    REFUSED = "refused"
    ERASED = "erased"
    ELSEWHERE = "elsewhere"


class Part(fields.String):
    """A part in base64: standard alphabet, padded; at the most `PART_BYTES` when read."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        if len(text) > PART_BYTES * 4 // 3 + 4:
            raise ValidationError(f"A part has {PART_BYTES} bytes at the most.")
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValidationError("Must be base64.") from error
        if not 0 < len(content) <= PART_BYTES:
            raise ValidationError(f"A part has 1 to {PART_BYTES} bytes.")
        return content


def _number() -> fields.Integer:
    return c1(fields.Integer(strict=True, required=True, validate=validate.Range(0, 100_000)))


class BeginEvidence(Strict):
    """Say what will be sent: type, size and SHA-256 of the whole file."""

    case_id = c1(Id(required=True))
    media_type = c1(fields.Enum(MediaType, by_value=True, required=True))
    size = c1(fields.Integer(strict=True, required=True, validate=validate.Range(1, LARGEST_MIB * 1024 * 1024)))
    sha256 = c4(fields.String(required=True, validate=validate.Regexp("^[0-9a-f]{64}$")))
    title = c4(Text(max=200, load_default=None, allow_none=True, metadata={"description": "what it shows"}))


class AddPart(Strict):
    """One part, from 0, each of 512 KiB but the last. A part that is there already is not taken twice."""

    evidence_id = c1(Id(required=True))
    part = _number()
    content = c4(Part(required=True))


class EvidenceQuery(PageQuery):
    """The evidence of one case, oldest first; not what it shows."""

    case_id = c1(Id(required=True))


class ReadEvidence(Strict):
    """One part of a file. Each reading is in the audit log."""

    evidence_id = c1(Id(required=True))
    part = _number()
    reason = c4(Text(min=5, max=500, load_default=None, allow_none=True))


class EvidenceView(Strict):
    """That there is a file. `next_part`: the one that is waited for, null when it is complete."""

    id = c1(fields.String(required=True))
    case_id = c1(fields.String(required=True))
    state = c1(fields.Enum(EvidenceState, by_value=True, required=True))
    media_type = c1(fields.Enum(MediaType, by_value=True, required=True))
    size = c1(fields.Integer(required=True))
    parts = c1(fields.Integer(required=True))
    next_part = c1(fields.Integer(required=True, allow_none=True))
    added_by = c2(fields.String(required=True))
    added_at = c1(fields.AwareDateTime(required=True))


class EvidencePage(Strict):
    items = c1(fields.List(fields.Nested(EvidenceView), required=True))
    next = c1(fields.String(required=True, allow_none=True))


class PartView(Strict):
    """A part, and what the whole is."""

    id = c1(fields.String(required=True))
    part = c1(fields.Integer(required=True))
    parts = c1(fields.Integer(required=True))
    media_type = c1(fields.Enum(MediaType, by_value=True, required=True))
    title = c4(fields.String(required=True, allow_none=True))
    sha256 = c4(fields.String(required=True))
    content = c4(fields.String(required=True, metadata={"description": "base64"}))
