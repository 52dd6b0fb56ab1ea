"""Looking for persons by name or telephone number, in any script, among what the caller may identify."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from contracts.case.words import CaseStatus, PartyRole, Sex
from kernel.schema import Id, Strict, Text, c0, c1, c3, c4

MOST_FOUND = 20


class Because(StrEnum):
    """Why a person was found: the name as spelled, as it sounds, with the same birth date; the telephone number."""

    SPELLING = "spelling"
    SOUND = "sound"
    BIRTH = "birth"
    PHONE = "phone"


def _reason() -> Text:
    note = {"description": "why you look; kept in the audit log. Without it only your own cases are searched"}
    return c4(Text(min=5, max=500, load_default=None, allow_none=True, metadata=note))


class FindPersons(Strict):
    """Look for a person. Each result is a reading of identity, and is in the audit log."""

    name = c3(Text(min=2, max=200, load_default=None, allow_none=True, metadata={"description": "in any script"}))
    phone = c3(Text(max=40, load_default=None, allow_none=True, metadata={"description": "in any digits"}))
    reason = _reason()
    limit = c0(fields.Integer(load_default=10, validate=validate.Range(1, MOST_FOUND)))

    @validates_schema
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("name") is None and data.get("phone") is None:
            raise ValidationError("Give a name or a telephone number.", "name")


class SamePersons(Strict):
    """Ask whether somebody in this case is also in others that you may identify. Of any other case nothing is said."""

    case_id = c1(Id(required=True))
    reason = _reason()


class PersonFound(Strict):
    """A party whose name or number fits, and their case."""

    case_id = c1(fields.String(required=True))
    number = c1(fields.String(required=True))
    status = c1(fields.Enum(CaseStatus, by_value=True, required=True))
    unit = c1(fields.String(required=True))
    party_id = c1(fields.String(required=True))
    role = c1(fields.Enum(PartyRole, by_value=True, required=True))
    name = c3(fields.String(required=True, allow_none=True))
    sex = c3(fields.Enum(Sex, by_value=True, required=True))
    birth_date = c3(fields.Date(required=True, allow_none=True))
    because = c1(fields.List(fields.Enum(Because, by_value=True), required=True))


class PersonsFound(Strict):
    """The best first. `more`: others fit too; say more of the name, or the telephone number."""

    items = c3(fields.List(fields.Nested(PersonFound), required=True))
    more = c1(fields.Boolean(required=True))
