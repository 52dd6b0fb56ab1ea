"""What the documents say, and what the program has: read from the program itself, never from a second list."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import typer
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

UNIMPORTED = ("__main__", ".migrations.env")
PATCHED = "kernel.extensions"  # imports eventlet
ROOT = Path(__file__).parents[2]


@cache
def documents(*names: str) -> str:
    """The text of the named documents in docs/, or of all of them and the README; empty where there is none."""
    if names:
        files = [ROOT / "docs" / name for name in names]
    else:
        files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(file.read_text("utf-8") for file in files if file.exists())


def unmentioned(words: Iterable[str], *names: str) -> list[str]:
    """Those of `words` that stand nowhere in the documents as words of their own."""
    text = documents(*names)
    return sorted(word for word in set(words) if not re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text))


def commands() -> dict[str, Any]:
    """Every command of `jisr` (click's objects) by its full words, e.g. `jisr link pause`."""
    from node.cli import app

    return dict(_leaves("jisr", typer.main.get_command(app)))


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    parts = getattr(command, "commands", None)
    if not parts:
        yield words, command
        return
    for name, part in parts.items():
        yield from _leaves(f"{words} {name}", part)


def settings() -> list[str]:
    """Every key of a settings file, e.g. `smtp.host`; a key that a file chooses stands as `<name>`."""
    from kernel.settings import Settings

    return list(_keys(Settings, ""))


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        nested = next(_models(field.annotation), None)
        if nested is None:
            yield prefix + name
        elif "dict" in str(field.annotation):
            yield from _keys(nested, f"{prefix}{name}.<destination>.")
        else:
            yield from _keys(nested, f"{prefix}{name}.")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def metrics() -> list[str]:
    """Every metric as Prometheus shows it."""
    from kernel import metrics as module

    return [_shown(value) for value in vars(module).values() if isinstance(value, MetricWrapperBase)]


def _shown(metric: MetricWrapperBase) -> str:
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if described.type == "counter" else described.name


def modules(*packages: str) -> list[ModuleType]:
    """Every module of the packages, imported; without migrations, entry points and what needs nameko."""
    return [import_module(name) for package in packages for file in sources(package) if (name := _importable(file))]


def _importable(file: Path) -> str | None:
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return None if name.endswith(UNIMPORTED) or name.startswith(PATCHED) else name


def sources(*folders: str) -> list[Path]:
    """The Python files of the folders."""
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


def queues() -> list[str]:
    """Every queue and exchange by the name that the code gives it, variable parts as `<name>`."""
    from kernel import broker

    fixed = [broker.FACTS, broker.ARRIVALS, broker.DEAD, broker.RECORDER]
    made = [broker.recorded_queue("<service>"), broker.dead_queue("<queue>")]
    links = ["jisr.up", "jisr.down", "jisr.up.<node>", "jisr.down.<node>", "jisr.dead"]
    return [*fixed, *made, *links, *_subscribed()]


def _subscribed() -> Iterator[str]:
    for file in sources("services"):
        yield from re.findall(r'@subscription\(\s*"([^"]+)"', file.read_text("utf-8"))


def fact_schemas() -> list[Any]:
    """The shape of every fact that is published; not those that tests make for themselves."""
    from kernel.fact import FACT_SCHEMAS

    modules("contracts")
    ours = [schema for schema in FACT_SCHEMAS.values() if schema.__module__.startswith("contracts.")]
    return sorted(ours, key=lambda schema: schema.__module__)  # not in the order in which a run happened to import them


def fact_types() -> list[str]:
    """Every type of fact that a service may publish, e.g. `case.opened.v1`."""
    from kernel.fact import type_of

    return [type_of(schema.kind, event, schema.version) for schema in fact_schemas() for event in schema.events]
