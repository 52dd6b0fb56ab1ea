"""The processes of a node, by name, and what each needs before it may start."""

from dataclasses import dataclass
from pathlib import Path

from contracts import rules
from contracts.topology import Node, Topology
from contracts.topology import load as load_topology
from kernel import settings as kernel_settings
from kernel.errors import SettingsError
from kernel.migration import pending_migrations
from kernel.settings import Settings

SERVICES = ("forum", "case", "notify", "sync")  # nameko services; each may run alone or all in one process
OWNERS = (*SERVICES, "gateway")  # who owns a database
ALL = ("services", "engine", "gateway")  # the processes of `jisr run all`
RUNNABLE = (*SERVICES, *ALL, "all")
DATABASES = {"services": SERVICES, "engine": ("sync",), "gateway": ("gateway",), "all": OWNERS}


@dataclass(frozen=True)
class Prepared:
    """Settings and topology of a node that were found to fit each other."""

    settings: Settings
    topology: Topology
    node: Node


def prepare(settings_file: Path | None) -> Prepared:
    """Read and check what every process of a node needs. Raises `SettingsError` naming the file and the key."""
    settings = kernel_settings.load(settings_file)
    country = load_topology(settings.topology)
    node = country.nodes.get(settings.node)
    if node is None:
        raise SettingsError(f"`node` is {settings.node}, which the topology {settings.topology} does not name.")
    rules.load(settings.rules)
    unknown = sorted(set(settings.links) - set(country.nodes))
    if unknown:
        raise SettingsError(f"`links.{unknown[0]}` names a node that the topology {settings.topology} does not.")
    return Prepared(settings, country, node)


def check_databases(settings: Settings, process: str) -> None:
    """Raise `SettingsError` when a database that `process` uses lacks a migration."""
    for service in DATABASES.get(process, (process,)):
        missing = pending_migrations(settings.database_url_of(service), service)
        if missing:
            raise SettingsError(
                f"The database of {service} lacks the migrations {', '.join(missing)}; apply them with: jisr migrate."
            )
