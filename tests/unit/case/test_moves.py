"""The state machines of cases and referrals, and their guards, searched by property."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.case import CaseStatus, HandlerPreference, Outcome, RecordingClass
from contracts.case.requests import PROPOSABLE
from kernel.errors import Forbidden, JisrError, MoveRefused, StaleVersion
from services.case import model
from services.case.model import Move
from services.case.refusals import OutsideApprovalNeeded, OwnAct, PreferenceNotMet, ReferralsOpen

PEOPLE = ("amal", "basim", "dunya")
UNITS = (None, "unit-1", "unit-2")
UNIT = "unit-1"


@dataclass
class Walk:
    """A case of which only the pure parts exist: what the guards look at."""

    recording_class: RecordingClass
    status: CaseStatus = CaseStatus.RECEIVED
    handlers: list[str] = field(default_factory=list)
    proposer: str | None = None
    outcome: Outcome | None = None
    approver: str | None = None
    approver_unit: str | None = None

    def step(self, move: Move, who: str, unit: str | None, outcome: Outcome) -> None:
        status = model.moved(self.status, move)
        if move is Move.ASSIGN:
            self.handlers.append(who)
        if move is Move.PROPOSE:
            self.proposer, self.outcome = who, outcome
        if move is Move.CLOSE:
            outside = model.needs_outside_approval(self.outcome, self.recording_class, self.recording_class)
            model.check_approver(
                approver=who,
                approver_unit=unit,
                unit=UNIT,
                involved=[*self.handlers, self.proposer],
                outside=outside,
            )
            self.approver, self.approver_unit = who, unit
        self.status = status


asked = st.tuples(st.sampled_from(Move), st.sampled_from(PEOPLE), st.sampled_from(UNITS), st.sampled_from(PROPOSABLE))


@given(st.sampled_from(RecordingClass), st.lists(asked, max_size=40))
def test_no_sequence_of_moves_lets_anybody_approve_their_own_act(
    recorded: RecordingClass, sequence: Sequence[tuple[Move, str, str | None, Outcome]]
) -> None:
    walk = Walk(recorded)
    for move, who, unit, outcome in sequence:
        try:
            walk.step(move, who, unit, outcome)
        except JisrError:
            continue
    if walk.status is CaseStatus.CLOSED:
        assert walk.approver not in {*walk.handlers, walk.proposer}
        informally = walk.outcome not in model.FORMAL
        if recorded is RecordingClass.CRIME_INDICATED and informally:
            assert walk.approver_unit != UNIT
    assert walk.recording_class is recorded


AFTER_THE_END = {Move.CONFIRM, Move.CONTEST, Move.LEAVE_UNCONFIRMED, Move.REOPEN, Move.SEPARATE, Move.HAND_OVER}


@pytest.mark.parametrize("ended", sorted(model.ENDED))
@pytest.mark.parametrize("move", sorted(set(Move) - AFTER_THE_END))
def test_a_case_that_ended_stays_ended_but_for_what_follows_an_end(ended: CaseStatus, move: Move) -> None:
    with pytest.raises(MoveRefused):
        model.moved(ended, move)


@pytest.mark.parametrize("move", sorted(AFTER_THE_END))
def test_what_follows_an_end_needs_one(move: Move) -> None:
    assert model.MOVES[move].sources <= model.ENDED


def test_every_state_can_be_reached_from_received() -> None:
    reached: set[str] = {CaseStatus.RECEIVED}
    for _ in CaseStatus:
        reached |= {step.target for step in model.MOVES.values() if not reached.isdisjoint(step.sources)}
    assert reached == set(CaseStatus)


def test_every_open_state_leads_to_an_end() -> None:
    ending: set[str] = set(model.ENDED)
    for _ in CaseStatus:
        ending |= {source for step in model.MOVES.values() if step.target in ending for source in step.sources}
    assert ending == set(CaseStatus)


def test_a_case_is_closed_only_by_way_of_a_proposal() -> None:
    assert model.MOVES[Move.CLOSE].sources == {CaseStatus.RESOLUTION_PROPOSED}
    assert model.MOVES[Move.PROPOSE].sources == {CaseStatus.IN_PROGRESS}


def test_a_refused_move_says_where_the_case_is_and_where_it_can_go() -> None:
    with pytest.raises(MoveRefused) as refused:
        model.moved(CaseStatus.RECEIVED, Move.CLOSE)
    assert refused.value.details == {
        "subject": "case",
        "current": "received",
        "target": "closed",
        "possible": "duplicate_of, transferring, triaged, withdrawn",
    }
    with pytest.raises(MoveRefused, match="confirmed, contested, triaged, unconfirmed"):
        model.moved(CaseStatus.CLOSED, Move.WITHDRAW)


@given(st.sampled_from(Outcome), st.sampled_from(RecordingClass), st.sampled_from(RecordingClass))
def test_a_crime_that_is_handed_to_no_authority_is_approved_from_outside(
    outcome: Outcome, recorded: RecordingClass, present: RecordingClass
) -> None:
    indicated = RecordingClass.CRIME_INDICATED in (recorded, present)
    handed_over = outcome.value.startswith("handed_to_") or outcome is Outcome.PROTECTION_MEASURE
    assert model.needs_outside_approval(outcome, recorded, present) == (indicated and not handed_over)


def test_nobody_of_the_unit_approves_what_needs_an_outsider() -> None:
    with pytest.raises(OutsideApprovalNeeded):
        model.check_approver(approver="x", approver_unit=UNIT, unit=UNIT, involved=["y"], outside=True)
    model.check_approver(approver="x", approver_unit=None, unit=UNIT, involved=["y"], outside=True)
    model.check_approver(approver="x", approver_unit=UNIT, unit=UNIT, involved=["y", None], outside=False)


def test_approving_ones_own_act_is_forbidden_and_so_in_the_audit_log() -> None:
    with pytest.raises(OwnAct) as refused:
        model.check_approver(approver="x", approver_unit=None, unit=UNIT, involved=["x"], outside=False)
    assert isinstance(refused.value, Forbidden)
    assert refused.value.audited


@given(st.integers(1, 1000), st.one_of(st.none(), st.integers(1, 1000)))
def test_a_version_that_is_not_the_present_one_is_refused_with_both(current: int, seen: int | None) -> None:
    if seen in (None, current):
        model.check_version(current, seen)
        return
    with pytest.raises(StaleVersion) as refused:
        model.check_version(current, seen)
    assert refused.value.details == {"yours": seen, "current": current}


@pytest.mark.parametrize("preference", [HandlerPreference.WOMAN, HandlerPreference.MAN])
def test_a_preference_needs_a_handler_who_fits(preference: HandlerPreference) -> None:
    with pytest.raises(PreferenceNotMet):
        model.check_preference(preference, fits=False)
    model.check_preference(preference, fits=True)
    model.check_preference(HandlerPreference.ANY, fits=False)


def test_an_open_referral_needs_a_reason() -> None:
    with pytest.raises(ReferralsOpen, match="R-NI-2026-000001-W"):
        model.check_referrals(["R-NI-2026-000001-W"], reason=None)
    model.check_referrals(["R-NI-2026-000001-W"], reason="they answered by telephone")
    model.check_referrals([], reason=None)


@pytest.mark.parametrize("status", sorted(model.ENDED))
def test_nothing_is_added_to_a_case_that_ended(status: CaseStatus) -> None:
    with pytest.raises(MoveRefused, match="no note can be added"):
        model.check_open(status, what="note")
