"""The words of forums. Codes are stable; labels are translated where they are shown."""

from enum import StrEnum


class AreaKind(StrEnum):
    """How large a place is."""

    GOVERNORATE = "governorate"
    DISTRICT = "district"
    SUB_DISTRICT = "sub_district"
    NEIGHBOURHOOD = "neighbourhood"
    CAMP = "camp"


class AreaType(StrEnum):
    """What displacement did to a place."""

    RETURN = "return"
    HOST = "host"
    DISPLACED = "displaced"
    INFORMAL = "informal"


class ForumKind(StrEnum):
    """What kind of working group a forum is."""

    FORUM = "forum"
    JOINT_COMMITTEE = "joint_committee"
    WOMEN = "women"
    YOUTH = "youth"


class Founding(StrEnum):
    """Who began it: a programme, or the place itself."""

    PROGRAMME = "programme"
    LOCAL = "local"


class ForumStatus(StrEnum):
    """Established says that it exists on paper, active that it works; see services/forum/model.py."""

    PROPOSED = "proposed"
    ESTABLISHED = "established"
    ACTIVE = "active"
    AT_RISK = "at_risk"
    DORMANT = "dormant"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a forum ended. A closed list: a free sentence may name somebody."""

    MERGED = "merged"
    DUPLICATE = "duplicate"
    PROGRAMME_ENDED = "programme_ended"
    MEMBERS_LEFT = "members_left"
    INSECURITY = "insecurity"
    AREA_EMPTIED = "area_emptied"
    OTHER = "other"


class Sector(StrEnum):
    """What part of the community a member speaks for.

    Tribal and religious leaders are one sector on purpose: a person's row must not say which (hard rule 1).
    """

    POLICE = "police"
    LOCAL_AUTHORITY = "local_authority"
    CIVIL_SOCIETY = "civil_society"
    COMMUNITY_LEADERS = "community_leaders"
    WOMEN = "women"
    YOUTH = "youth"
    RESIDENTS = "residents"


class Sex(StrEnum):
    """For counts of people; no row of a person holds it."""

    FEMALE = "female"
    MALE = "male"


class MemberRole(StrEnum):
    """What a member does in the forum."""

    FACILITATOR = "facilitator"
    CHAIR = "chair"
    SECRETARY = "secretary"
    MEMBER = "member"


class Dimension(StrEnum):
    """What a declared composition counts. Counts only, never a property of a person (hard rule 1)."""

    SECTOR = "sector"
    SEX = "sex"
    AGE_BAND = "age_band"
    RESIDENCE = "residence"
    COMMUNITY = "community"


class Session(StrEnum):
    """Who a meeting is for. What is said in a closed or a women-only session is for that forum alone."""

    OPEN = "open"
    CLOSED = "closed"
    WOMEN_ONLY = "women_only"
    JOINT = "joint"


class MeetingStatus(StrEnum):
    """A meeting without quorum took place, but decides nothing and is no activity."""

    PLANNED = "planned"
    HELD = "held"
    NO_QUORUM = "no_quorum"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    """Why a planned meeting did not take place."""

    INSECURITY = "insecurity"
    ACCESS = "access"
    WEATHER = "weather"
    NO_PLACE = "no_place"
    POSTPONED = "postponed"
    OTHER = "other"


class ConcernCategory(StrEnum):
    """What a concern of a community is about.

    The codes are those of cases without the ones that are about one person: such a matter is a case.
    """

    HARASSMENT = "harassment"
    ELECTRONIC_BLACKMAIL = "electronic_blackmail"
    FAMILY_DISPUTE = "family_dispute"
    NEIGHBOUR_DISPUTE = "neighbour_dispute"
    TRIBAL_DISPUTE = "tribal_dispute"
    PROPERTY_DISPUTE = "property_dispute"
    INTERCOMMUNAL_TENSION = "intercommunal_tension"
    DRUGS = "drugs"
    THEFT_FRAUD = "theft_fraud"
    ASSAULT_THREAT = "assault_threat"
    TRAFFIC_PUBLIC_ORDER = "traffic_public_order"
    BEGGING = "begging"
    MUNICIPAL_SERVICE = "municipal_service"
    DISPLACEMENT_NEED = "displacement_need"
    CORRUPTION = "corruption"
    OTHER = "other"


class Priority(StrEnum):
    """How the forum ranks a concern."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ConcernStatus(StrEnum):
    """Those who raised a concern say whether the answer satisfied them."""

    RAISED = "raised"
    ACCEPTED = "accepted"
    WITH_OWNER = "with_owner"
    ANSWERED = "answered"
    SATISFIED = "satisfied"
    UNSATISFIED = "unsatisfied"


class OwnerKind(StrEnum):
    """Who took a concern or an action on."""

    MEMBER = "member"
    UNIT = "unit"
    AUTHORITY = "authority"
    ORGANISATION = "organisation"


class ActionStatus(StrEnum):
    """Done is what the owner claims; verified is what a member of another sector has seen."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    IN_PROGRESS = "in_progress"
    DONE_CLAIMED = "done_claimed"
    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    DROPPED = "dropped"


class DropReason(StrEnum):
    """Why an action was given up."""

    NO_LONGER_NEEDED = "no_longer_needed"
    NO_MEANS = "no_means"
    OWNER_LEFT = "owner_left"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    OTHER = "other"
