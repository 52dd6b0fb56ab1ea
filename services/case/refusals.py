"""What the case service refuses, each with its sentence."""

from kernel.errors import BadInput, Conflict, Forbidden, NotFound


class CaseNotFound(NotFound):
    """There is no case {subject} here."""

    code = "case_not_found"
    audited = True  # it may be there, and was not for the caller to see


class ReferralNotFound(NotFound):
    """There is no referral {subject} here."""

    code = "referral_not_found"
    audited = True


class NotTheHandler(Forbidden):
    """Only the handler of this case may do this."""

    code = "not_the_handler"


class NotTheSupervisor(Forbidden):
    """Only a supervisor of unit {unit} may do this."""

    code = "not_the_supervisor"


class ReasonNeeded(Forbidden):
    """You do not handle this case; say in `reason` why you read what identifies people in it."""

    code = "reason_needed"


class OwnAct(Forbidden):
    """You handled or proposed this; somebody else must approve it."""

    code = "own_act"


class OutsideApprovalNeeded(Forbidden):
    """A crime was indicated and the case is settled informally; somebody from outside unit {unit} must
    approve it."""

    code = "outside_approval_needed"


class PreferenceNotMet(Conflict):
    """The person asked to speak to a {preference}; confirm with `fits_preference` that the handler is one."""

    code = "preference_not_met"


class ReferralsOpen(Conflict):
    """These referrals are not answered or not completed: {referrals}; say in `open_referrals_reason` why."""

    code = "referrals_open"


class UnitNeeded(BadInput):
    """Your account belongs to no unit; name the unit that will handle the case."""

    code = "unit_needed"


class NotYet(BadInput):
    """`{field}` cannot be later than now."""

    code = "not_yet"


class AlreadyPast(BadInput):
    """`{field}` must be a day to come."""

    code = "already_past"


class BeforeTheCase(BadInput):
    """`{field}` cannot be before the case was reported."""

    code = "before_the_case"
