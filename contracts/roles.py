"""The roles of the field and the named groups that doors ask for.

A door names a group, never a list of roles, so that the question "who may do this" has one answer to change.
A role opens a door; whose records it may see or change behind the door (own forum, own unit, own cases) is
decided by the service's handlers. Forum roles appear in no group that opens a case, and `node_admin` in none
that shows one.
"""

from enum import StrEnum


class Role(StrEnum):
    """What an account may be. An account may hold several."""

    FORUM_MEMBER = "forum_member"
    FORUM_FACILITATOR = "forum_facilitator"
    INTAKE_OFFICER = "intake_officer"
    COMMUNITY_OFFICER = "community_officer"
    CASE_WORKER = "case_worker"
    UNIT_SUPERVISOR = "unit_supervisor"
    PROVINCIAL_DIRECTOR = "provincial_director"
    INSPECTORATE = "inspectorate"
    CONFIRMATION_INTERVIEWER = "confirmation_interviewer"
    REFERRAL_PARTNER = "referral_partner"
    FEDERAL_ANALYST = "federal_analyst"
    REGIONAL_ANALYST = "regional_analyst"
    DIRECTIVE_AUTHOR = "directive_author"
    RELEASE_APPROVER = "release_approver"
    NODE_ADMIN = "node_admin"
    OPERATOR = "operator"


ALL: frozenset[Role] = frozenset(Role)

# Forums
FORUM_ROLES: frozenset[Role] = frozenset({Role.FORUM_MEMBER, Role.FORUM_FACILITATOR})
FORUM_OVERSIGHT: frozenset[Role] = frozenset({Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR})
"""Read every forum of the governorate except what closed and women-only sessions keep to themselves."""
FORUM_FOUNDING: frozenset[Role] = frozenset({Role.PROVINCIAL_DIRECTOR, Role.UNIT_SUPERVISOR})
"""Propose, establish and close forums."""
FORUM_READ: frozenset[Role] = FORUM_ROLES | FORUM_OVERSIGHT | {Role.COMMUNITY_OFFICER, Role.CASE_WORKER}
"""Read the directory of forums and their open business; forum roles only their own forum."""
FORUM_NAMES: frozenset[Role] = FORUM_ROLES | FORUM_OVERSIGHT
"""See who the members are."""
FORUM_WRITE: frozenset[Role] = frozenset({Role.FORUM_FACILITATOR})
"""Write one's own forum."""
FORUM_VERIFY: frozenset[Role] = FORUM_ROLES
"""Verify an action of one's own forum, as a member of another sector than its owner."""
AREA_WRITE: frozenset[Role] = frozenset({Role.NODE_ADMIN, Role.PROVINCIAL_DIRECTOR})
"""Areas are configuration of the node."""
AREA_READ: frozenset[Role] = FORUM_READ | AREA_WRITE | {Role.INTAKE_OFFICER}

# Cases
INTAKE: frozenset[Role] = frozenset(
    {Role.INTAKE_OFFICER, Role.COMMUNITY_OFFICER, Role.CASE_WORKER, Role.UNIT_SUPERVISOR}
)
"""Open cases."""
CASE_WORK: frozenset[Role] = frozenset({Role.COMMUNITY_OFFICER, Role.CASE_WORKER})
"""Work on assigned cases."""
SUPERVISION: frozenset[Role] = frozenset({Role.UNIT_SUPERVISOR, Role.INSPECTORATE})
"""Triage and assign: the supervisor in the unit, the inspectorate where staff are complained of."""
CASE_APPROVAL: frozenset[Role] = SUPERVISION | {Role.PROVINCIAL_DIRECTOR}
"""Approve closings; never one's own."""
CASE_READ: frozenset[Role] = INTAKE | CASE_WORK | SUPERVISION | {Role.PROVINCIAL_DIRECTOR}
"""Read the case rows one's unit, hand or office reaches."""
CASE_BARRED: frozenset[Role] = frozenset({Role.NODE_ADMIN, Role.OPERATOR, Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST})
"""Reach no case and are told of none, whatever else they are: who can make accounts could make a handler of himself."""
REFERRAL_WRITE: frozenset[Role] = CASE_WORK | SUPERVISION
REFERRAL_ANSWER: frozenset[Role] = frozenset({Role.REFERRAL_PARTNER}) | CASE_WORK | SUPERVISION
"""Accept, reject and complete: the partner, or the officer who was told the answer by telephone."""
CASE_STEPS: frozenset[Role] = CASE_WORK | SUPERVISION
"""Steps of the handler that the supervisor may take in the handler's place."""
RECLASSIFICATION_APPROVAL: frozenset[Role] = frozenset({Role.INSPECTORATE, Role.PROVINCIAL_DIRECTOR})
"""Decide whether the class of a case changes; never for one's own unit, never one's own proposal."""
RECLASSIFICATION_READ: frozenset[Role] = CASE_STEPS | RECLASSIFICATION_APPROVAL
ERASURE_APPROVAL: frozenset[Role] = RECLASSIFICATION_APPROVAL
"""Decide whether identity is erased because a person asks, and hold it for an authority; never for one's own unit."""
ERASURE_READ: frozenset[Role] = CASE_STEPS | ERASURE_APPROVAL
CONFIRMATION: frozenset[Role] = frozenset({Role.CONFIRMATION_INTERVIEWER})
"""Ask people whether a case really ended as it says; never in one's own unit."""
WELFARE: frozenset[Role] = INTAKE
"""Keep welfare applications of the unit."""
WELFARE_DECISION: frozenset[Role] = frozenset({Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR})
"""Enter what the office decided and paid; never for an application one began or applied with."""
WELFARE_READ: frozenset[Role] = WELFARE | WELFARE_DECISION
PARTNER_READ: frozenset[Role] = CASE_READ | {Role.DIRECTIVE_AUTHOR, Role.RELEASE_APPROVER}
"""Read the directory of partners and how they answered."""
PARTNER_LIST: frozenset[Role] = frozenset({Role.UNIT_SUPERVISOR, Role.PROVINCIAL_DIRECTOR, Role.DIRECTIVE_AUTHOR})
"""Enter a partner: at a directorate for every governorate, at a governorate for itself."""
PARTNER_VET: frozenset[Role] = frozenset({Role.PROVINCIAL_DIRECTOR, Role.RELEASE_APPROVER})
"""Vouch for a partner, and suspend it; never one's own entry."""
TRANSFER: frozenset[Role] = frozenset({Role.UNIT_SUPERVISOR})
"""Send a case to another governorate and take one from there: for one's unit, never what one proposed oneself."""
HANDLER_REQUEST: frozenset[Role] = CASE_WORK | {Role.UNIT_SUPERVISOR}
"""See what other governorates ask for, and offer oneself."""
ANSWER_BY_CODE: frozenset[Role] = frozenset({Role.REFERRAL_PARTNER})
"""What the gateway calls itself when it passes on a one-time code; the code is what is believed."""
PUBLIC = "public"
"""What the gateway calls itself when it asks for somebody without an account. No account can have it."""
EVIDENCE: frozenset[Role] = INTAKE | SUPERVISION
"""Add files to a case that one reaches."""
RECEIPTS: frozenset[Role] = INTAKE | SUPERVISION
"""Give a person a receipt of a case that one reaches."""
AUDIT_READ: frozenset[Role] = frozenset({Role.INSPECTORATE})

# Directorate
ANALYSIS: frozenset[Role] = frozenset({Role.FEDERAL_ANALYST, Role.REGIONAL_ANALYST})
"""Read de-identified records and statistics at a directorate."""
DIRECTIVES: frozenset[Role] = frozenset({Role.DIRECTIVE_AUTHOR})
"""Issue directives."""
RELEASES: frozenset[Role] = frozenset({Role.RELEASE_APPROVER})

# Node
ADMIN: frozenset[Role] = frozenset({Role.NODE_ADMIN})
"""Accounts and configuration; no case."""
OPERATIONS: frozenset[Role] = frozenset({Role.OPERATOR})
"""Links, queues, metrics, backups."""
OPERATIONS_READ: frozenset[Role] = OPERATIONS | ANALYSIS | {Role.PROVINCIAL_DIRECTOR}
"""Read the state of links and replicas."""
NOTIFIED: frozenset[Role] = ALL - {Role.REFERRAL_PARTNER}
"""Have an in-app inbox."""
