"""The fact that carries sealed copies of what a service keeps; see kernel/safekeeping.py."""

from marshmallow import fields

from kernel import safekeeping
from kernel.database import Database
from kernel.fact import FactSchema, operational
from kernel.settings import Settings


class CopyFact(FactSchema):
    """Rows of a service as they now stand, sealed to the governorate's own recovery key. The subject is the service.

    Only where the governorate has such a key. Whoever is not it learns that something was written, as from any fact.
    """

    kind = "copy"
    events = ("kept",)

    service = operational(fields.String(required=True))


def begin(database: Database, settings: Settings) -> None:
    """Copy what changes in `database` from now on, if the node has a recovery key."""
    safekeeping.begin(database, settings, CopyFact)
