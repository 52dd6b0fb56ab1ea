"""Every field that crosses a border says who may see it."""

from collections.abc import Iterator

from marshmallow import Schema, fields

from kernel.fact import FactSchema, Part
from kernel.paging import PageQuery
from tests.repo.documents import fact_schemas, modules

CLASSES = {"C0", "C1", "C2", "C3", "C4"}
IN_THE_CLEAR = {Part.STATISTICAL, Part.OPERATIONAL}
# Hard rule 1 of the domain: no field of a person for these, and rule 2: no arrest by community police.
NEVER = ("ethnicity", "religion", "sect", "tribe", "affiliation", "arrest")


def _schemas() -> Iterator[type[Schema]]:
    seen = set()
    for module in modules("contracts"):
        for value in vars(module).values():
            ours = isinstance(value, type) and issubclass(value, Schema) and value.__module__.startswith("contracts")
            if ours and value not in seen:
                seen.add(value)
                yield value


def test_every_field_of_a_request_or_view_has_a_sensitivity() -> None:
    without = [
        f"{schema.__module__}.{schema.__name__}.{name}"
        for schema in _schemas()
        if not issubclass(schema, FactSchema)
        for name, field in schema._declared_fields.items()
        if field.metadata.get("sensitivity") not in CLASSES and name not in PageQuery._declared_fields
    ]
    assert not without, f"mark with c0 … c4 of kernel.schema: {', '.join(without)}"


def test_every_field_of_a_fact_has_a_part() -> None:
    assert fact_schemas()
    without = [
        f"{schema.__name__}.{name}"
        for schema in fact_schemas()
        for name, field in schema._declared_fields.items()
        if field.metadata.get("part") not in set(Part)
    ]
    assert not without, f"mark with statistical, operational or sealed of kernel.fact: {', '.join(without)}"


def test_every_fact_names_its_events() -> None:
    without = [schema.__name__ for schema in fact_schemas() if not schema.events]
    assert not without, f"declare `events` in: {', '.join(without)}"


def test_no_schema_asks_for_what_is_never_recorded() -> None:
    asked = [
        f"{schema.__module__}.{schema.__name__}.{name}"
        for schema in _schemas()
        for name in schema._declared_fields
        if any(word in name.split("_") for word in NEVER)
    ]
    assert not asked, f"never a field of a person: {', '.join(asked)}"


def test_no_fact_carries_free_text_of_a_request_in_the_clear() -> None:
    """A name that is C2 to C4 in any request or view of a service does not stand in the clear in its facts."""
    personal: dict[str, set[str]] = {}
    for schema in _schemas():
        if not issubclass(schema, FactSchema):
            names = personal.setdefault(_service(schema), set())
            names |= {
                name
                for name, field in schema._declared_fields.items()
                if field.metadata.get("sensitivity") in {"C3", "C4"}
            }
    shown = [
        f"{schema.__name__}.{name}"
        for schema in _schemas()
        if issubclass(schema, FactSchema)
        for name, field in schema._declared_fields.items()
        if field.metadata.get("part") in IN_THE_CLEAR and not isinstance(field, fields.Enum)
        if name in personal.get(_service(schema), set())
    ]
    assert not shown, f"personal in a request, in the clear in a fact: {', '.join(shown)}"


def _service(schema: type[Schema]) -> str:
    return schema.__module__.split(".")[1]
