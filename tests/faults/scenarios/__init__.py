"""The harm, each by its name. A scenario does it, asks the metrics about it while it lasts, and heals it."""

from tests.faults.scenarios import (
    brokers,
    clocks,
    credentials,
    disks,
    histories,
    lines,
    messages,
    poison,
    processes,
    restores,
)
from tests.faults.scenarios.scenario import SCENARIOS, Scenario

__all__ = [
    "SCENARIOS",
    "Scenario",
    "brokers",
    "clocks",
    "credentials",
    "disks",
    "histories",
    "lines",
    "messages",
    "poison",
    "processes",
    "restores",
]
