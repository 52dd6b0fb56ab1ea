"""Steps that several tests of a forum's business take."""

from marshmallow import Schema

import contracts.forum as contract
from services.forum import access
from services.forum.handlers import actions, concerns
from tests.services.forum.desk import MARKER, Desk, Handler, facilitator

OTHER_ACCOUNT = "0197c0de-0000-7000-8000-00000000beef"


def ask_concern(desk: Desk, concern_id: str, by: access.Actor, step: str, **values: object) -> contract.ConcernStatus:
    """The status of a concern after one step."""
    known: dict[str, tuple[Handler, type[Schema]]] = {
        "accept": (concerns.accept_concern, contract.AcceptConcern),
        "own": (concerns.own_concern, contract.OwnConcern),
        "answer": (concerns.answer_concern, contract.AnswerConcern),
        "judge": (concerns.judge_concern, contract.JudgeConcern),
    }
    handler, schema = known[step]
    status: contract.ConcernStatus = desk.ask(handler, schema, by, concern_id=concern_id, **values).status
    return status


def answered(desk: Desk, forum_id: str) -> str:
    """The id of a concern that the facilitator's account answered."""
    by, concern_id = facilitator(forum_id), desk.concern(forum_id)
    assert ask_concern(desk, concern_id, by, "accept") == "accepted"
    owner = {"owner_kind": "authority", "owner_name": f"{MARKER} mayor"}
    assert ask_concern(desk, concern_id, by, "own", **owner) == "with_owner"
    assert ask_concern(desk, concern_id, by, "answer", answer=f"{MARKER} lights come") == "answered"
    return concern_id


def verify(desk: Desk, action_id: str, by: access.Actor, **values: object) -> contract.ActionStatus:
    """The status of an action after somebody says they have seen that it is done."""
    status: contract.ActionStatus = desk.ask(
        actions.verify_action, contract.VerifyAction, by, action_id=action_id, **values
    ).status
    return status
