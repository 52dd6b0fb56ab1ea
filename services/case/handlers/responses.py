"""Whether mediation is the only response of a case, and whether it may be."""

from sqlmodel import Session, select

from contracts.case import ReferralStatus
from contracts.case.assistance import AssistanceStatus
from contracts.case.mediation import MediationStatus
from kernel.errors import refuse
from services.case.mediating import is_guarded
from services.case.refusals import NoAgreement, NotTheOnlyResponse
from services.case.tables import Assistance, CaseIntake, CaseRecord, Mediation, Referral

STANDS = (MediationStatus.AGREED, MediationStatus.KEPT)
TAKEN = (
    ReferralStatus.ACCEPTED,
    ReferralStatus.IN_SERVICE,
    ReferralStatus.COMPLETED,
    ReferralStatus.OUTCOME_CONFIRMED,
)
CAME = (AssistanceStatus.ACKNOWLEDGED, AssistanceStatus.ON_SCENE, AssistanceStatus.ENDED)


def guarded(session: Session, case: CaseRecord) -> bool:
    """Whether mediation may not be the only response of this case."""
    return is_guarded(case.category, session.get_one(CaseIntake, case.id).answers, minors=case.minors)


def has_other_response(session: Session, case: CaseRecord) -> bool:
    """Whether another office took a referral, or local police came or are coming."""
    referred = select(Referral.id).where(Referral.case_id == case.id, Referral.status.in_(TAKEN))
    called = select(Assistance.id).where(Assistance.case_id == case.id, Assistance.status.in_(CAME))
    return any(session.exec(each.limit(1)).first() is not None for each in (referred, called))


def check_only_response(session: Session, case: CaseRecord, *, approved: bool) -> None:
    """Raise `NotTheOnlyResponse` where mediation would be and may not."""
    if not approved and guarded(session, case) and not has_other_response(session, case):
        refuse(NotTheOnlyResponse)


def check_mediated(session: Session, case: CaseRecord) -> None:
    """Refuse to end a case as mediated when its last mediation did not end so, or may not be the only response.

    A case without any mediation of ours may have been settled elsewhere; a guarded one may not."""
    mediations = select(Mediation).where(Mediation.case_id == case.id).order_by(Mediation.id.desc())
    last = session.exec(mediations.limit(1)).first()
    if last is not None and last.status not in STANDS:
        refuse(NoAgreement)
    check_only_response(session, case, approved=last is not None and last.approved_by is not None)
