"""The words of the case service. Codes are stable; labels are translated elsewhere."""

from enum import StrEnum
from typing import Final


class Question(StrEnum):
    """What every intake asks, whatever the person came with."""

    FORCE = "force"
    THREAT = "threat"
    INJURY = "injury"
    WEAPON = "weapon"
    CHILD = "child"
    MONEY_TAKEN = "money_taken"
    IMAGES_MISUSED = "images_misused"


class Answer(StrEnum):
    """`unknown` is an answer: it is not taken for a no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class RecordingClass(StrEnum):
    """What the answers indicate; computed once, at intake."""

    CRIME_INDICATED = "crime_indicated"
    NON_CRIME = "non_crime"
    UNDETERMINED = "undetermined"


class Category(StrEnum):
    """What the case is about."""

    DOMESTIC_ABUSE = "domestic_abuse"
    SEXUAL_VIOLENCE = "sexual_violence"
    HARASSMENT = "harassment"
    ELECTRONIC_BLACKMAIL = "electronic_blackmail"
    RUNAWAY_MISSING = "runaway_missing"
    CHILD_PROTECTION = "child_protection"
    TRAFFICKING_IN_PERSONS = "trafficking_in_persons"
    FAMILY_DISPUTE = "family_dispute"
    NEIGHBOUR_DISPUTE = "neighbour_dispute"
    TRIBAL_DISPUTE = "tribal_dispute"
    PROPERTY_DISPUTE = "property_dispute"
    REPRISAL_STIGMA = "reprisal_stigma"
    INTERCOMMUNAL_TENSION = "intercommunal_tension"
    DRUGS = "drugs"
    THEFT_FRAUD = "theft_fraud"
    ASSAULT_THREAT = "assault_threat"
    SELF_HARM_RISK = "self_harm_risk"
    TRAFFIC_PUBLIC_ORDER = "traffic_public_order"
    BEGGING = "begging"
    MUNICIPAL_SERVICE = "municipal_service"
    DISPLACEMENT_NEED = "displacement_need"
    COMPLAINT_AGAINST_POLICE = "complaint_against_police"
    CORRUPTION = "corruption"
    TERRORISM_INDICATOR = "terrorism_indicator"
    OTHER = "other"


class CategoryGroup(StrEnum):
    """The coarse form of a category. Every restricted category is in `protection`, and nothing else is."""

    PROTECTION = "protection"
    PERSONAL_SAFETY = "personal_safety"
    DISPUTE = "dispute"
    CRIME_AND_ORDER = "crime_and_order"
    SERVICE_AND_NEED = "service_and_need"
    COMPLAINT = "complaint"
    OTHER = "other"


GROUP: Final[dict[Category, CategoryGroup]] = {
    Category.DOMESTIC_ABUSE: CategoryGroup.PROTECTION,
    Category.SEXUAL_VIOLENCE: CategoryGroup.PROTECTION,
    Category.CHILD_PROTECTION: CategoryGroup.PROTECTION,
    Category.TRAFFICKING_IN_PERSONS: CategoryGroup.PROTECTION,
    Category.REPRISAL_STIGMA: CategoryGroup.PROTECTION,
    Category.SELF_HARM_RISK: CategoryGroup.PROTECTION,
    Category.HARASSMENT: CategoryGroup.PERSONAL_SAFETY,
    Category.ELECTRONIC_BLACKMAIL: CategoryGroup.PERSONAL_SAFETY,
    Category.RUNAWAY_MISSING: CategoryGroup.PERSONAL_SAFETY,
    Category.ASSAULT_THREAT: CategoryGroup.PERSONAL_SAFETY,
    Category.FAMILY_DISPUTE: CategoryGroup.DISPUTE,
    Category.NEIGHBOUR_DISPUTE: CategoryGroup.DISPUTE,
    Category.TRIBAL_DISPUTE: CategoryGroup.DISPUTE,
    Category.PROPERTY_DISPUTE: CategoryGroup.DISPUTE,
    Category.INTERCOMMUNAL_TENSION: CategoryGroup.DISPUTE,
    Category.DRUGS: CategoryGroup.CRIME_AND_ORDER,
    Category.THEFT_FRAUD: CategoryGroup.CRIME_AND_ORDER,
    Category.TRAFFIC_PUBLIC_ORDER: CategoryGroup.CRIME_AND_ORDER,
    Category.BEGGING: CategoryGroup.CRIME_AND_ORDER,
    Category.TERRORISM_INDICATOR: CategoryGroup.CRIME_AND_ORDER,
    Category.MUNICIPAL_SERVICE: CategoryGroup.SERVICE_AND_NEED,
    Category.DISPLACEMENT_NEED: CategoryGroup.SERVICE_AND_NEED,
    Category.COMPLAINT_AGAINST_POLICE: CategoryGroup.COMPLAINT,
    Category.CORRUPTION: CategoryGroup.COMPLAINT,
    Category.OTHER: CategoryGroup.OTHER,
}

RESTRICTED: Final[frozenset[Category]] = frozenset(
    category for category, group in GROUP.items() if group is CategoryGroup.PROTECTION
)
"""Categories that leave the node in one coarse form only (month and category group)."""


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    IMMEDIATE = "immediate"


class Channel(StrEnum):
    """How the case came in."""

    WALK_IN = "walk_in"
    PHONE = "phone"
    HOTLINE_497 = "hotline_497"
    FORUM = "forum"
    ONLINE = "online"
    VISIT = "visit"
    REFERRAL_IN = "referral_in"
    ANONYMOUS_BOX = "anonymous_box"


class Language(StrEnum):
    """The language the person wants to be spoken to in."""

    ARABIC = "ar"
    SORANI = "ckb"
    KURMANJI = "kmr"
    ENGLISH = "en"
    OTHER = "other"


class HandlerPreference(StrEnum):
    """Who the person wants to speak to."""

    ANY = "any"
    WOMAN = "woman"
    MAN = "man"


class PriorResort(StrEnum):
    """Where the person sought help before; about the helper, never about the person's own belonging."""

    NONE = "none"
    FAMILY = "family"
    TRIBE = "tribe"
    RELIGIOUS = "religious"
    MOKHTAR = "mokhtar"
    LOCAL_POLICE = "local_police"
    COURT = "court"
    ARMED_GROUP = "armed_group"
    CIVIL_SOCIETY = "civil_society"
    OTHER = "other"
    NOT_SAID = "not_said"


class CaseStatus(StrEnum):
    RECEIVED = "received"
    TRIAGED = "triaged"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    RESOLUTION_PROPOSED = "resolution_proposed"
    CLOSED = "closed"
    CONFIRMED = "confirmed"
    CONTESTED = "contested"
    UNCONFIRMED = "unconfirmed"
    TRANSFERRING = "transferring"
    TRANSFERRED_OUT = "transferred_out"
    WITHDRAWN = "withdrawn"
    DUPLICATE_OF = "duplicate_of"


class Outcome(StrEnum):
    """How a case ended. `withdrawn` and `duplicate` are set by moves of their own and cannot be proposed."""

    ADVICE_GIVEN = "advice_given"
    MEDIATED_AGREEMENT = "mediated_agreement"
    SERVICE_COMPLETED = "service_completed"
    HANDED_TO_LOCAL_POLICE = "handed_to_local_police"
    HANDED_TO_COURT = "handed_to_court"
    PROTECTION_MEASURE = "protection_measure"
    CONTENT_REMOVED = "content_removed"
    RETURNED_HOME_SAFE = "returned_home_safe"
    NO_EVIDENCE = "no_evidence"
    CANNOT_CONTACT = "cannot_contact"
    WITHDRAWN = "withdrawn"
    DUPLICATE = "duplicate"
    OUT_OF_MANDATE_REFERRED = "out_of_mandate_referred"


class PartyRole(StrEnum):
    """What someone is in a case. `affected`: to whom it happened; `respondent`: the other side; `guardian`: who speaks
    for one under age."""

    AFFECTED = "affected"
    REPORTER = "reporter"
    RESPONDENT = "respondent"
    WITNESS = "witness"
    GUARDIAN = "guardian"


class Sex(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class AgeBand(StrEnum):
    """The bands of `domain.md`, and what stands there when no band can be told."""

    CHILD = "0-11"
    ADOLESCENT = "12-17"
    YOUNG = "18-24"
    THIRTY = "25-34"
    FORTY = "35-49"
    SIXTY = "50-64"
    OLD = "65+"
    MIXED = "mixed"
    SUPPRESSED = "suppressed"
    MISSING = "missing"


class Telling(StrEnum):
    """Whether a count that is about persons is told. Suppressed and missing are not zero."""

    TOLD = "told"
    SUPPRESSED = "suppressed"
    MISSING = "missing"


class NoteKind(StrEnum):
    """Why a text was written: each text of a case says at which step."""

    NOTE = "note"
    HOLD = "hold"
    PROPOSAL = "proposal"
    OPEN_REFERRALS = "open_referrals"
    CLOSING = "closing"
    WITHDRAWAL = "withdrawal"
    REFERRAL = "referral"
    CONSENT = "consent"
    CONTACT = "contact"
    STAFF = "staff"
    RECLASSIFICATION = "reclassification"
    CONFIRMATION = "confirmation"
    REOPENING = "reopening"
    DUPLICATE = "duplicate"
    WITHOUT_CONSENT = "without_consent"
    MEDIATION = "mediation"
    ASSISTANCE = "assistance"
    BY_RECEIPT = "by_receipt"
    ERASURE = "erasure"
    LEGAL_HOLD = "legal_hold"


class AskedBy(StrEnum):
    """Who asked for a case to be withdrawn."""

    AFFECTED = "affected"
    REPORTER = "reporter"
    FAMILY = "family"
    OTHER = "other"


class Informed(StrEnum):
    """Whether the affected person was told how the case ended."""

    YES = "yes"
    NOT_REACHED = "not_reached"
    UNSAFE_TO_CONTACT = "unsafe_to_contact"
    NO_PERSON = "no_person"


class ReferralStatus(StrEnum):
    """`expired`: nobody answered, and nobody will be asked again. `outcome_confirmed`: the person has said it."""

    DRAFT = "draft"
    CONSENT_PENDING = "consent_pending"
    SENT = "sent"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    IN_SERVICE = "in_service"
    COMPLETED = "completed"
    NOT_COMPLETED = "not_completed"
    OUTCOME_CONFIRMED = "outcome_confirmed"
    REVOKED = "revoked"


class Destination(StrEnum):
    """What kind of office a case is referred to."""

    HEALTH = "health"
    EDUCATION = "education"
    LABOUR = "labour"
    LEGAL_AID = "legal_aid"
    SHELTER = "shelter"
    LOCAL_POLICE = "local_police"
    COURT = "court"
    CIVIL_SOCIETY = "civil_society"


class Urgency(StrEnum):
    """How soon an answer is due: 24 hours, 72 hours, 7 days, or as the rules of the node say (docs/rules.md)."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    NORMAL = "normal"


class RejectReason(StrEnum):
    NO_CAPACITY = "no_capacity"
    OUT_OF_SCOPE = "out_of_scope"
    OUT_OF_AREA = "out_of_area"
    PERSON_NOT_REACHED = "person_not_reached"
    PERSON_DECLINED = "person_declined"
    INCOMPLETE_INFORMATION = "incomplete_information"
    OTHER = "other"
