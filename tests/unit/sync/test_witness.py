"""Two holders of one origin's history find the first number where they were told different stories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sync import witness
from services.sync.message import BadMessage, Witness
from services.sync.position import Position, digests, start
from services.sync.witness import Claim, Inquiry


class Holder:
    """A replica in memory: `story` names what was told from number `forked` on."""

    def __init__(self, length: int, forked: int = 10**6, story: bytes = b"a", epoch: int = 1) -> None:
        zero = start("ninewa", epoch)
        leaves = [(story if n >= forked else b"-") * 32 for n in range(1, length + 1)]
        self.epoch = epoch
        self.chain = [zero.digest, *digests(zero, leaves)]

    def held(self, origin: str) -> Claim | None:
        number = len(self.chain) - 1
        return Claim(origin, self.epoch, Position(number, self.chain[number])) if origin == "ninewa" else None

    def digest_at(self, origin: str, number: int) -> bytes | None:
        return self.chain[number] if origin == "ninewa" and number < len(self.chain) else None


def compare(asker: Holder, other: Holder, rounds: int = 40) -> tuple[Inquiry, int]:
    held = asker.held("ninewa")
    assert held is not None
    inquiry, asked = Inquiry(held), 0
    while inquiry.open and asked < rounds:
        digest = asker.digest_at("ninewa", inquiry.next)
        assert digest is not None
        question = witness.say(
            "a", [Claim("ninewa", asker.epoch, Position(inquiry.next, digest))], asks=True, question=1
        )
        answers = witness.answer(witness.read(question), other.held, other.digest_at)
        inquiry.on_answer(answers[0] if answers else None, asker.digest_at)
        asked += 1
    return inquiry, asked


@given(mine=st.integers(0, 300), theirs=st.integers(0, 300), forked=st.integers(1, 310))
def test_the_first_number_that_differs_is_found_whoever_asks(mine: int, theirs: int, forked: int) -> None:
    one, other = Holder(mine, forked, b"a"), Holder(theirs, forked, b"b")
    for asker, asked in ((one, other), (other, one)):
        found, questions = compare(asker, asked)
        both = min(mine, theirs)
        assert not found.open
        assert found.differs_at == (forked if both >= forked else None)
        assert found.agreed == min(both, forked - 1)
        assert questions <= 10


@given(mine=st.integers(0, 50), theirs=st.integers(0, 50))
def test_one_story_is_one_question(mine: int, theirs: int) -> None:
    found, questions = compare(Holder(mine), Holder(theirs))
    assert (found.agreed, found.differs_at, questions) == (min(mine, theirs), None, 1)


def test_another_epoch_is_not_compared() -> None:
    found, _ = compare(Holder(5), Holder(5, epoch=2))
    assert (found.open, found.agreed, found.differs_at) == (False, None, None)


def test_who_holds_nothing_of_an_origin_agrees_up_to_nothing() -> None:
    asked = [Claim("anbar", 1, Position(5, b"x" * 32))]
    (said,) = witness.answer(asked, Holder(5).held, Holder(5).digest_at)
    assert said == Claim("anbar", 1, start("anbar", 1))


@given(answers=st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=32, max_size=32)), min_size=1, max_size=60))
def test_a_liar_costs_a_bounded_number_of_questions(answers: list[tuple[int, bytes]]) -> None:
    asker = Holder(300)
    held = asker.held("ninewa")
    assert held is not None
    inquiry, asked = Inquiry(held), 0
    while inquiry.open and asked < len(answers):
        number, digest = answers[asked]
        said = Claim("ninewa", 1, Position(min(number, inquiry.next), digest))
        inquiry.on_answer(said, asker.digest_at)
        asked += 1
    assert asked <= 10
    assert not inquiry.open or asked == len(answers)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'[["ninewa",1,5]]',
        b'[["Ninewa!",1,5,"' + b"0" * 64 + b'"]]',
        b'[["ninewa",0,5,"' + b"0" * 64 + b'"]]',
        b'[["ninewa",1,-1,"' + b"0" * 64 + b'"]]',
        b'[["ninewa",1,5,"zz"]]',
        b"[" + b",".join([b'["ninewa",1,5,"' + b"0" * 64 + b'"]'] * 1001) + b"]",
        b"[" * 300_000,
        b"\xff",
    ],
)
def test_a_payload_that_is_none_is_held_against_its_signer(payload: bytes) -> None:
    with pytest.raises(BadMessage) as refused:
        witness.read(Witness("directorate-erbil", True, 1, payload))
    assert refused.value.signer == "directorate-erbil"
