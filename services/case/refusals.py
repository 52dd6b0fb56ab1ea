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


class GlassNeeded(Forbidden):
    """Who is in this case is open to you by break-glass only, for three hours: POST /break-glass with a reason."""

    code = "glass_needed"


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


class PartnerNotFound(NotFound):
    """There is no partner {subject} in the directory."""

    code = "partner_not_found"


class PartnerNeeded(BadInput):
    """An office of kind {destination} is asked through the partner directory; name a `partner`."""

    code = "partner_needed"


class PartnerNotUsable(Conflict):
    """This partner cannot be asked: it is {status}; only a vetted one can."""

    code = "partner_not_usable"


class PartnerOutOfScope(Conflict):
    """This partner is of another kind, or does not take such a case, or does not work in that district."""

    code = "partner_out_of_scope"


class NotOurPartner(Conflict):
    """This partner is an entry of {origin}; only that node changes it."""

    code = "not_our_partner"


class NothingToAnswer(Conflict):
    """This referral is {status}; there is nothing for its office to read or to answer."""

    code = "nothing_to_answer"


class TransferNotFound(NotFound):
    """There is no transfer {subject} here."""

    code = "transfer_not_found"
    audited = True


class NotATarget(BadInput):
    """{node} is no other governorate."""

    code = "not_a_target"


class NoSealKey(Conflict):
    """The sealing key of {node} is not here; put {node}.seal.pub into the directory of the peers' keys."""

    code = "no_seal_key"


class TransferOpen(Conflict):
    """A transfer of this case is under way already: {number}."""

    code = "transfer_open"


class NotTransferable(Conflict):
    """This case stands behind the conflict wall; it goes to the inspectorate or upstream, and to no governorate."""

    code = "not_transferable"


class RequestNotFound(NotFound):
    """There is no handler request {subject} here."""

    code = "request_not_found"
    audited = True


class NotOpenToYou(Forbidden):
    """This case is not open to you, or is so no longer."""

    code = "not_open_to_you"


class PreferenceNeeded(BadInput):
    """The person did not say whom they want to speak to; anybody of the unit can handle this case."""

    code = "preference_needed"


class WrongCode(Forbidden):
    """This number and this code do not belong together, or the code is used up or ended; ask for a new one."""

    code = "wrong_code"


class ConflictOfInterest(Conflict):
    """This account is named in the case and can have no part in it."""

    code = "conflict_of_interest"


class HandlingRefused(Conflict):
    """The affected person does not agree that the case is handled; say in `without_consent_reason` why it must be."""

    code = "handling_refused"


class PartyNotFound(NotFound):
    """There is no party {subject} in this case."""

    code = "party_not_found"


class GuardianNeeded(Conflict):
    """This party is under age: a guardian of theirs agrees, or say why it is somebody's duty to act."""

    code = "guardian_needed"


class ReclassificationNotFound(NotFound):
    """There is no reclassification {subject} here."""

    code = "reclassification_not_found"
    audited = True


class AlreadyProposed(Conflict):
    """A reclassification of this case waits for a decision already."""

    code = "already_proposed"


class SameClass(Conflict):
    """The case has the class {current} already."""

    code = "same_class"


class ClassMovedOn(Conflict):
    """The case no longer has the class {from_class} that this would change; refuse it and propose anew."""

    code = "class_moved_on"


class FromOutside(Forbidden):
    """Somebody from outside the units that handle this case must decide it."""

    code = "from_outside"


class ConfirmationNotFound(NotFound):
    """There is no confirmation interview {subject} for you."""

    code = "confirmation_not_found"
    audited = True


class NotADuplicate(Conflict):
    """A case cannot be a duplicate of itself, of a duplicate, or of one on the other side of the conflict wall."""

    code = "not_a_duplicate"


class ClassWouldBeLost(Conflict):
    """A crime was indicated in this case and not in the other; counted there, it would be lost. Reclassify first."""

    code = "class_would_be_lost"


class MediationNotFound(NotFound):
    """There is no mediation {subject} here."""

    code = "mediation_not_found"
    audited = True


class ScreenFirst(Conflict):
    """The safety screen comes first."""

    code = "screen_first"


class ConsentMissing(Conflict):
    """These parties have not agreed, each asked without the others after the safety screen: {parties}."""

    code = "consent_missing"


class NotTheOnlyResponse(Conflict):
    """In such a case mediation may not be the only response, unless somebody from outside the unit approves it with the
    person's own wish."""

    code = "not_the_only_response"


class NoAgreement(Conflict):
    """No mediation of this case ended in an agreement that stands."""

    code = "no_agreement"


class TooEarly(Conflict):
    """This is due on {due} and not before."""

    code = "too_early"


class AssistanceNotFound(NotFound):
    """There is no call for help {subject} here."""

    code = "assistance_not_found"
    audited = True


class Withheld(Conflict):
    """A person in this case asked to keep it from the local police; say in `withheld_reason` why they are called."""

    code = "withheld"


class WelfareNotFound(NotFound):
    """There is no welfare application {subject} here."""

    code = "welfare_not_found"
    audited = True


class DocumentsMissing(Conflict):
    """These documents are missing: {documents}."""

    code = "documents_missing"


class ErasureNotFound(NotFound):
    """There is no request {subject} here."""

    code = "erasure_not_found"
    audited = True


class HoldNotFound(NotFound):
    """There is no legal hold {subject} here."""

    code = "hold_not_found"
    audited = True


class OnHold(Conflict):
    """A court, a prosecutor or an inquiry needs what identifies people in this case; somebody has to lift the hold."""

    code = "on_hold"


class NeededByAuthority(Conflict):
    """A crime may have been done, staff are complained of, or an authority has this case: identity is kept until its
    period of retention has ended."""

    code = "needed_by_authority"
