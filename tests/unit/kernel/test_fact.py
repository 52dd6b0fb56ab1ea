"""A fact keeps its parts apart and its bytes exact, and takes nothing that was not declared."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from kernel.errors import BadInput
from kernel.fact import (
    MAX_FACT_BYTES,
    Fact,
    FactSchema,
    NotAFact,
    compose,
    operational,
    pack,
    sealed,
    statistical,
    unpack,
)

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Sighting(FactSchema):
    kind = "test_sighting"
    district = statistical(fields.String(required=True))
    number = operational(fields.String())
    narrative = sealed(fields.String())


def sighting(**values: object) -> Fact:
    return compose(Sighting, "made", id="f1", subject="s1", version=1, values={"district": "sinjar", **values}, at=AT)


def test_a_field_that_declares_no_part_cannot_be_in_a_fact_schema() -> None:
    with pytest.raises(TypeError, match="no part declared for narrative"):

        class Leaky(FactSchema):
            kind = "test_leaky"
            narrative = fields.String()


def test_a_value_that_the_schema_does_not_declare_cannot_be_put_in_a_fact() -> None:
    with pytest.raises(TypeError, match="declares no phone"):
        sighting(phone="0770 000 0000")


def test_a_sealed_field_cannot_be_given_in_clear() -> None:
    with pytest.raises(TypeError, match="encrypted first"):
        sighting(narrative="what happened")


def test_each_field_stands_in_its_own_part_only() -> None:
    fact = sighting(number="NI-2026-000001-A")
    assert fact.statistical_values() == {"district": "sinjar"}
    assert fact.operational_values() == {"number": "NI-2026-000001-A", "at": "2026-11-20T09:30:00+00:00"}
    assert b"NI-2026" not in fact.head + fact.statistical


def test_the_type_names_kind_event_and_version() -> None:
    fact = sighting()
    assert (fact.type, fact.kind, fact.subject, fact.version, fact.audience) == (
        "test_sighting.made.v1", "test_sighting", "s1", 1, (),
    )  # fmt: skip


def test_a_state_that_does_not_fit_its_shape_is_refused_with_the_place() -> None:
    with pytest.raises(BadInput) as refused:
        compose(Sighting, "made", id="f1", subject="s1", version=1, values={}, at=AT)
    assert "district" in refused.value.details["where"]


parts = st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(-(2**53), 2**53), max_size=5)


@given(stat=parts, oper=parts, secret=st.binary(max_size=50), restricted=st.booleans())
def test_packing_and_unpacking_keeps_every_byte(stat: dict, oper: dict, secret: bytes, restricted: bool) -> None:
    head = sighting().head
    fact = Fact(head, msgspec.json.encode(stat), msgspec.json.encode(oper) if oper else b"", secret, restricted)
    assert unpack(pack(fact)) == fact


@given(st.binary(max_size=300))
def test_no_other_message_is_taken_for_a_fact(raw: bytes) -> None:
    with pytest.raises(NotAFact):
        unpack(raw)


@pytest.mark.parametrize(
    "envelope",
    [
        b"{}",
        b'{"head":{},"statistical":{}}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":0,"audience":[]},"statistical":{}}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":1,"audience":[]},"statistical":[]}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":1,"audience":[]},"statistical":{},"operational":7}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":1,"audience":[]},"statistical":{},"sealed":"*"}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":1,"audience":[],"x":"\xff"},"statistical":{}}',
        b'{"head":{"id":"a","type":"t","subject":"s","version":1,"audience":[]},"statistical":{"a":'
        + b"[" * 5000
        + b"]" * 5000
        + b"}}",
    ],
)
def test_an_envelope_with_a_wrong_part_is_refused(envelope: bytes) -> None:
    with pytest.raises(NotAFact):
        unpack(envelope)


def test_an_oversized_message_is_refused_before_it_is_read() -> None:
    with pytest.raises(NotAFact, match="at most"):
        unpack(b" " * (MAX_FACT_BYTES + 1))
