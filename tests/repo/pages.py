"""The parts of docs/ that are made from the program, so that they cannot drift from it.

    python -m tests.repo.pages        write them anew

A made part stands between `<!-- facts: … -->` and `<!-- end of facts -->`; `test_pages.py` compares it with what would
be written.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from marshmallow import fields
from prometheus_client.metrics import MetricWrapperBase

from kernel.fact import FactSchema, Part, type_of
from tests.repo import documents

SHORT = 6  # words of a list that still fit into its row
PLAIN = {
    fields.AwareDateTime: "instant",
    fields.Date: "date",
    fields.Integer: "whole number",
    fields.Boolean: "true or false",
    fields.String: "text",
}


def facts() -> str:
    """Every published fact: its types, its fields by part, its restricted form."""
    return "\n".join(_fact(schema) for schema in documents.fact_schemas())


def _fact(schema: type[FactSchema]) -> str:
    types = " · ".join(f"`{type_of(schema.kind, event, schema.version)}`" for event in schema.events)
    lines = [f"### {schema.kind}", "", _sentences(schema), "", types, "", *_table(schema), *_words(schema)]
    for form in schema.__subclasses__():
        lines += ["", "**Restricted form.** " + _sentences(form), ""]
        lines += [f"- {part.value}: {_names(form, part)}" for part in (Part.STATISTICAL, Part.OPERATIONAL)]
    return "\n".join([*lines, ""])


def _sentences(schema: type[FactSchema]) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (schema.__doc__ or "").split("\n\n"))


def _table(schema: type[FactSchema]) -> list[str]:
    rows = ["| field | part | what it holds |", "|---|---|---|"]
    for part in (Part.STATISTICAL, Part.OPERATIONAL, Part.SEALED):
        rows += [f"| `{name}` | {part.value} | {_shape(field)} |" for name, field in _of_part(schema, part)]
    return rows


def _of_part(schema: type[FactSchema], part: Part) -> Iterator[tuple[str, fields.Field]]:
    for name, field in schema().fields.items():
        if field.metadata["part"] == part:
            yield name, field


def _names(schema: type[FactSchema], part: Part) -> str:
    return ", ".join(f"`{name}`" for name, _ in _of_part(schema, part)) or "nothing"


def _shape(field: fields.Field) -> str:
    said = field.metadata.get("description")
    return _kind(field) + (" or null" if field.allow_none else "") + (f": {said}" if said else "")


def _kind(field: Any) -> str:
    if isinstance(field, fields.Enum):
        words = _values(field.enum)
        return words if words.count(", ") < SHORT else "one of the list below"
    if isinstance(field, fields.Dict):
        return f"object: {_kind(field.key_field)} → {_kind(field.value_field)}"
    if isinstance(field, fields.List):
        return f"list of {_kind(field.inner)}"
    return next(name for kind, name in PLAIN.items() if isinstance(field, kind))


def _values(enum: type[Enum]) -> str:
    return ", ".join(str(each.value) for each in enum)


def _words(schema: type[FactSchema]) -> list[str]:
    """The lists too long for a row."""
    found: dict[type[Enum], list[str]] = {}
    for name, field in schema().fields.items():
        enum = _enum(field)
        if enum is not None and len(list(enum)) > SHORT:
            found.setdefault(enum, []).append(f"`{name}`")
    return [line for enum, names in found.items() for line in ("", f"{', '.join(names)}: {_values(enum)}")]


def _enum(field: Any) -> type[Enum] | None:
    inner = next((part for part in (getattr(field, "inner", None), getattr(field, "key_field", None)) if part), field)
    return inner.enum if isinstance(inner, fields.Enum) else None


def metrics() -> str:
    """Every metric, its labels and its sentence."""
    from kernel import metrics as module

    rows = ["| metric | labels | what it says |", "|---|---|---|"]
    for metric in vars(module).values():
        if isinstance(metric, MetricWrapperBase):
            rows.append(_metric(metric))
    return "\n".join(rows) + "\n"


def _metric(metric: MetricWrapperBase) -> str:
    described = next(iter(metric.describe()))
    name = f"{described.name}_total" if described.type == "counter" else described.name
    labels = ", ".join(metric._labelnames) or "–"
    kind = " (histogram)" if described.type == "histogram" else ""
    return f"| `{name}` | {labels} | {described.documentation}{kind} |"


def operations() -> str:
    """Every operation of the HTTP API; what it is made of imports the gateway, which only this page needs."""
    from tests.repo.operations import operations as made

    return made()


def decisions() -> str:
    """Every decision by its number and title."""
    lines = []
    for file in decision_files():
        number, _, title = file.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(": ")
        lines.append(f"- [{number}]({file.name}) {title}")
    return "\n".join(lines) + "\n"


def decision_files() -> list[Path]:
    """The pages of decisions, in their order."""
    return sorted((documents.ROOT / "docs" / "decisions").glob("[0-9]*.md"))


MADE: dict[str, tuple[str, Callable[[], str]]] = {
    "facts": ("facts.md", facts),
    "metrics": ("operations.md", metrics),
    "operations": ("api.md", operations),
    "decisions": ("decisions/README.md", decisions),
}


def parts(name: str) -> tuple[Path, str, str]:
    """A made part: its file, the file's text as it is, and as it should be."""
    file_name, make = MADE[name]
    file = documents.ROOT / "docs" / file_name
    text = file.read_text("utf-8")
    between = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not between.search(text):
        raise LookupError(f"docs/{file_name} has no place for {name}")
    return file, text, between.sub(lambda found: f"{found[1]}\n{make()}\n{found[2]}", text)


def main() -> None:
    """Write every made part."""
    for name in MADE:
        file, _, wanted = parts(name)
        file.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main()
