"""Which form of an entry a link may carry.

    clearance       audience empty   names destination   names others   names one to relay to
    operational     full             full                withheld       full
    statistical     statistical      statistical         withheld       full
    …, restricted   withheld         withheld            withheld       withheld

An audience narrows what a clearance allows; it widens it in one case only. A governorate has no link to
another governorate, so a fact for one goes up as `full` to both directorates, which relay it: its sealed
part is unreadable there and its operational part holds only what relaying needs. `relays_to` names the
nodes for which the destination does that; it is empty on links down from a directorate, and there the last
column does not exist.

`restricted` outranks the relay: such a fact reaches the other governorate through the home directorate,
whose clearance shows it in any case, and the other directorate learns nothing. Slower when the home link is
down; never wider.
"""

from collections.abc import Collection, Set
from enum import StrEnum

from services.sync.entry import Entry, Full, Shown, Statistical, Withheld


class Clearance(StrEnum):
    """What a link may carry by policy; the topology gives each link one."""

    OPERATIONAL = "operational"
    STATISTICAL = "statistical"


class Disclosure(StrEnum):
    """The form in which an entry is shown on a link."""

    FULL = "full"
    STATISTICAL = "statistical"
    WITHHELD = "withheld"


NO_RELAY: frozenset[str] = frozenset()


def decide(
    clearance: Clearance,
    destination: str,
    audience: Collection[str],
    restricted: bool,
    relays_to: Set[str] = NO_RELAY,
) -> Disclosure:
    """The form of an entry with this `audience` on a link to `destination`; see the table above."""
    if clearance is Clearance.STATISTICAL and restricted:
        return Disclosure.WITHHELD
    if audience and not relays_to.isdisjoint(audience):
        return Disclosure.FULL
    if audience and destination not in audience:
        return Disclosure.WITHHELD
    return Disclosure.FULL if clearance is Clearance.OPERATIONAL else Disclosure.STATISTICAL


def show(entry: Entry, disclosure: Disclosure) -> Shown:
    """The entry in this form, or in the most that is known of it. Its leaf, and so the chain, is always the same."""
    if disclosure is Disclosure.WITHHELD or not entry.head:
        return Withheld(entry.leaf)
    if disclosure is Disclosure.FULL and entry.proof is None:
        return Full(entry.head, entry.statistical, entry.salt, entry.operational, entry.sealed)
    return Statistical(entry.head, entry.statistical, entry.commitment)
