"""Tables of cases: the shape of a row of an office's register, and what is given out as a table.

A register is taken in by `jisr import` on the node itself, by no door.

| door | request | answer | group | API |
|---|---|---|---|---|
| `export_cases` | CaseExport | CasePage | CASE_READ | GET /cases/export |
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from contracts.case.requests import PROPOSABLE, CaseQuery, OpenCase
from contracts.case.words import Answer, Outcome, Question
from kernel.schema import Day, c0, c1


class PastCase(OpenCase):
    """A case as a register has it. What the register does not answer is `unknown`, never a no; `outcome` and
    `closed_on` stand where the case has ended, both or neither."""

    outcome = c1(
        fields.Enum(
            Outcome, by_value=True, load_default=None, allow_none=True, validate=validate.OneOf((*PROPOSABLE, None))
        )
    )
    closed_on = c1(Day(load_default=None, allow_none=True))

    @pre_load
    def _unknown(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        nobody_said = {question.value: Answer.UNKNOWN.value for question in Question}
        return {**data, "answers": {**nobody_said, **data.get("answers", {})}}

    @validates_schema
    def _both(self, data: Mapping[str, Any], **_: Any) -> None:
        if (data.get("outcome") is None) != (data.get("closed_on") is None):
            raise ValidationError("Outcome and day of closing stand together, or neither does.", "closed_on")


class TableFormat(StrEnum):
    """The form of a table."""

    CSV = "csv"
    XLSX = "xlsx"


class CaseExport(CaseQuery):
    """The cases that the caller may see, as a table; never with identity. Each export is in the audit log."""

    format = c0(fields.Enum(TableFormat, by_value=True, load_default=TableFormat.CSV))
