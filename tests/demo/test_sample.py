from datetime import date
from typing import Any

import pytest

from contracts import case as case_contract
from contracts import forum as forum_contract
from contracts.gateway import AddAccount
from deploy.demo.client import Api
from deploy.demo.plan import plan
from deploy.demo.sample import Loader, how_many, key_of, requests_of
from kernel.ids import new_id

TODAY = date(2026, 5, 4)
SHAPES = {
    "areas": forum_contract.AddArea,
    "forums": forum_contract.ProposeForum,
    "establish": forum_contract.EstablishForum,
    "activate": forum_contract.ActivateForum,
    "members": forum_contract.AddMember,
    "meetings": forum_contract.PlanMeeting,
    "concerns": forum_contract.RaiseConcern,
    "answer": forum_contract.AnswerConcern,
    "judge": forum_contract.JudgeConcern,
    "own": forum_contract.OwnConcern,
    "actions": forum_contract.ProposeAction,
    "claim": forum_contract.ClaimAction,
    "verify": forum_contract.VerifyAction,
    "cases": case_contract.OpenCase,
    "triage": case_contract.Triage,
    "assign": case_contract.Assign,
    "notes": case_contract.AddNote,
    "propose": case_contract.ProposeResolution,
    "referrals": case_contract.SendReferral,
    "accounts": AddAccount,
}


class Node(Api):
    """Takes every request whose body has the shape that the API publishes."""

    def __init__(self) -> None:
        super().__init__("http://nowhere")
        self.asked: list[tuple[str, str | None]] = []

    def itself(self, login: str) -> "Node":
        return self

    def get(self, path: str, **query: Any) -> Any:
        return {"id": new_id()}

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        self.asked.append((path, key))
        shape = SHAPES.get(path.rsplit("/", 1)[-1])
        if shape is not None:
            in_path = [name for name in shape().fields if name.removesuffix("_id") + "s" in path.split("/")[:-1]]
            problems = shape(exclude=in_path).validate(_plain(body))
            assert not problems, (path, problems)
        return {"id": new_id()}


def _plain(body: Any) -> Any:
    """What the body becomes on its way: JSON."""
    import json

    return json.loads(json.dumps(body))


@pytest.mark.parametrize("node", ["ninewa", "anbar", "duhok", "muthanna"])
def test_every_request_of_the_sample_has_the_shape_that_the_api_publishes(node: str) -> None:
    api = Node()
    sample = plan(node, seed=1, today=TODAY)
    loader = Loader(node, 1, log_in=api.itself, loaded=lambda: None, stopped=lambda: False)
    sent = loader.load(requests_of(sample, password="a long password", today=TODAY))
    assert sent == how_many(sample, today=TODAY) > len(api.asked) > 0


def test_every_step_has_a_key_of_its_own_that_the_next_run_finds_again() -> None:
    first, second = Node(), Node()
    for api in (first, second):
        loader = Loader("ninewa", 1, log_in=api.itself, loaded=lambda: None, stopped=lambda: False)
        loader.load(requests_of(plan("ninewa", seed=1, today=TODAY), password="a long password", today=TODAY))
    keys = [key for _, key in first.asked]
    assert len(set(keys)) == len(keys)
    assert keys == [key for _, key in second.asked]
    assert key_of(1, "ninewa", "case 1") != key_of(2, "ninewa", "case 1") != key_of(2, "duhok", "case 1")


def test_a_load_ends_when_it_is_stopped() -> None:
    api = Node()
    loader = Loader("ninewa", 1, log_in=api.itself, loaded=lambda: None, stopped=lambda: len(api.asked) >= 5)
    assert loader.load(requests_of(plan("ninewa", seed=1, today=TODAY), password="", today=TODAY)) == 5
