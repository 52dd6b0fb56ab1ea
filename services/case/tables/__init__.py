"""What the case service keeps.

What says how a case stands is in `case_record`, and is about nobody. What names or describes people stands in
tables of its own, by case, sealed under the key of that case (`case_key`): `case_party`, `case_narrative`,
`case_note`. A query for a list cannot bring identity along by mistake, and erasing a person's data does not touch
the count. `case_intake` and the two
frozen columns of `case_record` are guarded by triggers of the database itself (see the migration): no code
path, and nobody with a database console who does not first drop a trigger, changes what was recorded."""

from services.case.tables.cases import (
    CaseIntake,
    CaseNarrative,
    CaseNote,
    CaseParty,
    CaseRecord,
    NumberSequence,
)
from services.case.tables.columns import WORD, Base
from services.case.tables.endings import Confirmation, Reclassification
from services.case.tables.erasure import Erasure, LegalHold
from services.case.tables.evidence import Evidence, EvidencePart
from services.case.tables.handler_requests import AskedGovernorate, HandlerOffer, HandlerRequest
from services.case.tables.identity import BreakGlass, CaseKey, NodeSecret, SearchToken
from services.case.tables.imports import ImportedRow
from services.case.tables.mediations import Assistance, Mediation
from services.case.tables.parties import CaseConsent, CaseContactPlan, CaseStaff
from services.case.tables.receipts import Receipt
from services.case.tables.referrals import ArrivalCursor, Partner, Referral, ReferralCode
from services.case.tables.transfers import Transfer, TransferPart
from services.case.tables.welfare import WelfareApplication

__all__ = [
    "WORD",
    "ArrivalCursor",
    "AskedGovernorate",
    "Assistance",
    "Base",
    "BreakGlass",
    "CaseConsent",
    "CaseContactPlan",
    "CaseIntake",
    "CaseKey",
    "CaseNarrative",
    "CaseNote",
    "CaseParty",
    "CaseRecord",
    "CaseStaff",
    "Confirmation",
    "Erasure",
    "Evidence",
    "EvidencePart",
    "HandlerOffer",
    "HandlerRequest",
    "ImportedRow",
    "LegalHold",
    "Mediation",
    "NodeSecret",
    "NumberSequence",
    "Partner",
    "Receipt",
    "Reclassification",
    "Referral",
    "ReferralCode",
    "SearchToken",
    "Transfer",
    "TransferPart",
    "WelfareApplication",
]
