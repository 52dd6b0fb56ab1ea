"""The partner directory: which offices may be asked, what for, and how they have answered.

Reference data comes from a directorate; a governorate adds its own partners and can change those only. A partner can be
asked from when somebody other than who listed it has vetted it until the vetting ends. What an office did with its
referrals is computed on the node that sent them. No address stands here: where a shelter is, is not written down.

| door | request | answer | group | API |
|---|---|---|---|---|
| `suggest_partners` | SuggestionQuery | PartnerPage | CASE_READ | GET …/suggestions |
| `list_partner` | ListPartner | PartnerView | PARTNER_LIST | POST /partners |
| `list_partners` | PartnerQuery | PartnerPage | PARTNER_READ | GET /partners |
| `get_partner` | PartnerName | PartnerView | PARTNER_READ | GET /partners/{partner_id} |
| `vet_partner` | VetPartner | PartnerView | PARTNER_VET | POST /partners/{partner_id}/vet |
| `suspend_partner` | SuspendPartner | PartnerView | PARTNER_VET | POST /partners/{partner_id}/suspend |
"""

from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields, validate

from contracts.case.words import Category, Destination, Language
from contracts.gazetteer import gazetteer
from kernel.fact import FactSchema, operational, statistical
from kernel.paging import PageQuery
from kernel.schema import Day, Id, Strict, Text, c0, c1, c2

NAME_LANGUAGES: Final = ("ar", "ckb", "kmr", "en")
MUST_BE_LISTED: Final = frozenset({Destination.SHELTER, Destination.LEGAL_AID, Destination.CIVIL_SOCIETY})
"""Offices of these kinds are asked through the directory only; the others are public authorities, which nobody vets."""


class PartnerStatus(StrEnum):
    """`listed`: waits for vetting. `lapsed`: the vetting has ended; computed when it is read."""

    LISTED = "listed"
    VETTED = "vetted"
    LAPSED = "lapsed"
    SUSPENDED = "suspended"


def _known(enum: Any, **options: Any) -> fields.Enum:
    return fields.Enum(enum, by_value=True, **options)


def _says(text: str) -> dict[str, str]:
    return {"description": text}


def _district(slug: str) -> None:
    if slug not in gazetteer():
        raise ValidationError("There is no such district in the gazetteer.")


def _words(enum: Any, says: str) -> fields.List:
    return fields.List(_known(enum), load_default=list, validate=validate.Length(max=len(enum)), metadata=_says(says))


class ListPartner(Strict):
    """List a partner. It can be asked once somebody else has vetted it."""

    names = c0(
        fields.Dict(
            keys=fields.String(validate=validate.OneOf(NAME_LANGUAGES)),
            values=Text(max=200, required=True),
            required=True,
            validate=validate.Length(min=1),
        )
    )
    destination = c0(_known(Destination, required=True))
    categories = c0(_words(Category, "what it takes; empty: anything"))
    districts = c0(
        fields.List(
            Text(max=64, validate=_district),
            load_default=list,
            validate=validate.Length(max=200),
            metadata=_says("slugs of the gazetteer where it works; empty: everywhere"),
        )
    )
    women_on_staff = c0(fields.Boolean(required=True))
    languages = c0(_words(Language, "spoken there"))
    phone = c2(Text(max=40, load_default=None, allow_none=True, metadata=_says("of the office")))
    account_id = c2(Text(max=64, load_default=None, allow_none=True, metadata=_says("account that answers for it")))
    head_account_id = c2(Text(max=64, load_default=None, allow_none=True, metadata=_says("account of its head")))


class PartnerQuery(PageQuery):
    """Partners, in the order in which they were listed."""

    destination = c0(_known(Destination, load_default=None, allow_none=True))
    category = c0(_known(Category, load_default=None, allow_none=True))
    women_on_staff = c0(fields.Boolean(load_default=None, allow_none=True))
    usable = c0(fields.Boolean(load_default=False, metadata=_says("only those that can be asked today")))


class PartnerName(Strict):
    """One partner."""

    partner_id = c0(Id(required=True))


class VetPartner(PartnerName):
    """Say that it was looked into, by somebody other than who listed it, and until when that holds."""

    version = c1(fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1)))
    expires_on = c0(Day(required=True, metadata=_says("as far ahead as the rules of the node allow")))


class SuspendPartner(PartnerName):
    """Nobody may ask it until it is vetted again."""

    version = c1(fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1)))


class SuggestionQuery(Strict):
    """Who else could be asked."""

    referral_id = c1(Id(required=True))


class PerformanceView(Strict):
    """What came of the referrals that this node sent to it in the last year. Null: nothing to compute it from."""

    sent = c1(fields.Integer(required=True))
    answered = c1(fields.Integer(required=True))
    answered_in_time = c1(fields.Integer(required=True))
    accepted = c1(fields.Integer(required=True))
    completed = c1(fields.Integer(required=True))
    expired = c1(fields.Integer(required=True))
    median_hours_to_answer = c1(fields.Float(required=True, allow_none=True))


class PartnerView(Strict):
    """A partner. `origin`: the node whose entry it is; only that node changes it."""

    id = c0(fields.String(required=True))
    origin = c0(fields.String(required=True))
    version = c0(fields.Integer(required=True))
    status = c0(_known(PartnerStatus, required=True))
    names = c0(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    destination = c0(_known(Destination, required=True))
    categories = c0(fields.List(_known(Category), required=True))
    districts = c0(fields.List(fields.String(), required=True))
    women_on_staff = c0(fields.Boolean(required=True))
    languages = c0(fields.List(_known(Language), required=True))
    phone = c2(fields.String(required=True, allow_none=True))
    vetted_on = c0(fields.Date(required=True, allow_none=True))
    expires_on = c0(fields.Date(required=True, allow_none=True))
    performance = c1(fields.Nested(PerformanceView, required=True, allow_none=True))


class PartnerPage(Strict):
    items = c1(fields.List(fields.Nested(PartnerView), required=True))
    next = c0(fields.String(required=True, allow_none=True))


class PartnerFact(FactSchema):
    """`partner.<event>.v1`: a partner as it now stands. A directorate's goes down to every governorate."""

    kind = "partner"
    events = ("listed", "vetted", "suspended")

    names = statistical(fields.Dict(keys=fields.String(), values=fields.String(), required=True))
    destination = statistical(_known(Destination, required=True))
    categories = statistical(fields.List(_known(Category), required=True))
    districts = statistical(fields.List(fields.String(), required=True))
    women_on_staff = statistical(fields.Boolean(required=True))
    languages = statistical(fields.List(_known(Language), required=True))
    suspended = statistical(fields.Boolean(required=True))
    vetted_on = statistical(fields.Date(required=True, allow_none=True))
    expires_on = statistical(fields.Date(required=True, allow_none=True))
    entered_on = operational(fields.Date(required=True))
