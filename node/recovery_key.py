"""Making a governorate's recovery key, and the copies of what there is on that day."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from contracts.safekeeping import CopyFact, begin
from kernel import audit, safekeeping
from kernel.clock import now
from kernel.crypto import SealingKey, load_secret
from kernel.database import Database
from kernel.errors import BadInput
from kernel.identity import Actor
from kernel.safekeeping import Safekeeping
from kernel.settings import Settings
from kernel.vault import IDENTITY_KEY
from node.restoring import BASES

COPIED = (IDENTITY_KEY, "hash.key", "seal.key")


def make(settings: Settings, file: Path, *, by_of: Callable[[str], Actor]) -> dict[str, Any]:
    """Make the key, copy the keys of the node and every row there is. Raises `BadInput` for a file in its home."""
    if settings.home.resolve() in file.parents or settings.keys_directory.resolve() in file.parents:
        raise BadInput("The private half must leave this node: name a file on a stick, outside its home.")
    key = safekeeping.save_key(file, settings.home)
    copied = 0
    for service, base in BASES.items():
        database = Database(settings.database_url_of(service), service=service)
        try:
            how = Safekeeping(settings.node, service, key, CopyFact)
            if service == "case":
                _note(database, settings, how, by_of(settings.node))
            copied += safekeeping.copy_all(database, base, how)
        finally:
            database.close()
    public = settings.home / safekeeping.KEY_FILE
    return {"key_id": key.key_id, "private": str(file), "public": str(public), "copied": copied}


def _note(database: Database, settings: Settings, how: Safekeeping, by: Actor) -> None:
    with database.write() as session:
        _copy_keys(session, settings, how)
        audit.record(
            session,
            actor=by,
            action="make_recovery_key",
            subject=settings.node,
            outcome="allowed",
            reason=f"key {how.key.key_id}",
            at=now(),
        )


def keep_on(database: Database, settings: Settings) -> None:
    """After a change of the identity key: copy it, and what is wrapped with it anew, where there is a recovery key."""
    begin(database, settings)
    file = settings.home / safekeeping.KEY_FILE
    if file.exists():
        with database.write() as session:
            _copy_keys(session, settings, Safekeeping(settings.node, database.service, SealingKey.load(file), CopyFact))


def _copy_keys(session: Any, settings: Settings, how: Safekeeping) -> None:
    directory = settings.keys_directory
    keys = {name: load_secret(directory / name) for name in COPIED if (directory / name).exists()}
    safekeeping.copy_keys(session, how, keys)
