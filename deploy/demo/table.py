"""What a person sees: addresses, accounts, and a table of every link, asked of the API again and again.

Each row is what its origin says about its own link. A node that does not answer is shown as not answering,
and a value that it does not know as unknown: neither is zero.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.demo.client import Api, ApiError
from deploy.demo.country import Country
from kernel.clock import now

FRAME_LINES = 8  # title, head, borders, the two lines below
NEWS = 3
WIDE = 116  # columns that the table takes with all its words
UNKNOWN = "unknown"
SILENT = "no answer"
COLOURS = {
    "idle": "green",
    "sending": "green",
    "waiting": "yellow",
    "blocked": "yellow",
    "paused": "yellow",
    "connecting": "red",
    SILENT: "red",
}


@dataclass
class Links:
    """Asks every node for its links, one login for each."""

    country: Country
    _apis: dict[str, Api] = field(default_factory=dict)

    def all(self) -> list[dict[str, Any]]:
        """Links upwards first, then downwards; a node that does not answer gives rows that say so."""
        nodes = [*self.country.governorates, *self.country.directorates]
        return [row for node in nodes for row in self.of(node)]

    def of(self, node: str) -> list[dict[str, Any]]:
        try:
            return list(self._api(node).get("/links")["items"])
        except ApiError:
            self._apis.pop(node, None)
            self.country.forget(node, "operator")
            return [
                {"origin": node, "destination": link.destination, "clearance": link.clearance.value, "state": SILENT}
                for link in self.country.topology.links_from(node)
            ]

    def _api(self, node: str) -> Api:
        if node not in self._apis:
            self._apis[node] = self.country.api(node, "operator", stopped=lambda: True)
        return self._apis[node]


def links_table(rows: list[dict[str, Any]], at: datetime, width: int = WIDE) -> Table:
    """The table for a terminal of `width` columns. A narrow one gets shorter words; a number is never cut."""
    names = ("origin", "destination", "clearance", "state", "head", "held", "behind", "behind (s)", "last heard")
    lines = [cells(row, at) for row in rows]
    table = Table(title=f"Links at {at:%H:%M:%S} UTC", title_justify="left")
    if width < WIDE:
        table.box, table.padding, table.pad_edge = SIMPLE, (0, 0), False
        names = (*names[:2], "shows", *names[3:7], "s", "heard")
        lines = [tuple(_short(word) for word in line) for line in lines]
    for number, name in enumerate(names):
        table.add_column(name, no_wrap=True, justify="right" if number > 3 else "left")
    for line in lines:
        table.add_row(*line[:3], Text(line[3], style=COLOURS.get(line[3], "bold red")), *line[4:])
    return table


SHORT = {UNKNOWN: "?", "operational": "oper", "statistical": "stat", " ago": "", "directorate-": "dir-"}


def _short(word: str) -> str:
    for long, short in SHORT.items():
        word = word.replace(long, short)
    return word


def cells(row: dict[str, Any], at: datetime) -> tuple[str, ...]:
    """One link as it is shown."""
    behind = row.get("behind") or {}
    known = bool(behind.get("known"))
    return (
        row["origin"],
        row["destination"],
        row["clearance"],
        row["state"],
        _number(row.get("head")),
        _number(row.get("held")),
        str(behind["entries"]) if known else UNKNOWN,
        f"{behind['seconds']:.0f}" if known else UNKNOWN,
        ago(row.get("last_heard_at"), at),
    )


def _number(position: dict[str, Any] | None) -> str:
    return UNKNOWN if position is None else str(position["number"])


def ago(instant: str | None, at: datetime) -> str:
    """How long ago, in the largest unit that makes sense; never heard is not long ago."""
    if instant is None:
        return UNKNOWN
    seconds = max(0, int((at - datetime.fromisoformat(instant)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def front(country: Country) -> RenderableType:
    """Addresses and accounts."""
    addresses = Table(title="Nodes", title_justify="left")
    for name in ("node", "address", "accounts"):
        addresses.add_column(name, no_wrap=name != "accounts")
    for node, place in country.places.items():
        addresses.add_row(node, place.address, ", ".join(country.logins_of(node)))
    notes = Text.assemble(
        "Every account's password here: ", (country.password, "bold"), ". Below each address: /api/v1/docs is the API "
        "to read, /api/v1/login takes {login, password}.\n",
        f"Logs, databases and keys are in {country.home}/nodes. All people are invented.",
    )  # fmt: skip
    return Group(addresses, notes)


def live(links: Links, news: list[str], console: Console) -> Callable[[], RenderableType]:
    """What is drawn again each time: the table, as much of it as fits, and the latest of what happened."""

    def draw() -> RenderableType:
        rows = links.all()
        shown = fitting(rows, console.size.height - FRAME_LINES - (NEWS + 2 if news else 0))
        parts: list[RenderableType] = [links_table(shown, now(), console.size.width)]
        if len(shown) < len(rows):
            parts.append(Text(f"… and {len(rows) - len(shown)} links more, none of them in a worse state."))
        if news:
            parts.append(Panel("\n".join(news[-NEWS:]), title="what happened", title_align="left"))
        parts.append(Text("Ctrl-C stops everything that was started.", style="dim"))
        return Group(*parts)

    return draw


def fitting(rows: list[dict[str, Any]], height: int) -> list[dict[str, Any]]:
    """All rows if they fit; else those that need a look first, in as many lines as there are."""
    if len(rows) <= height:
        return rows
    return sorted(rows, key=well)[: max(1, height)]


def well(row: dict[str, Any]) -> bool:
    """Whether there is nothing to see: connected, and known to be at its head."""
    behind = row.get("behind") or {}
    return COLOURS.get(row["state"]) == "green" and behind.get("entries") == 0
