"""`jisr keys`: the keys that make this node itself."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kernel import audit
from kernel.clock import now
from kernel.crypto import OpeningKey, SigningKey, new_hash_key, new_secret
from kernel.database import Database
from kernel.errors import BadInput
from kernel.settings import Settings
from kernel.vault import IDENTITY_KEY, Vault, change, key_id
from node import recovery_key
from node.commands.databases import opened
from node.commands.link import operator
from node.commands.output import AsJson, SettingsFile, explained, read_settings, rows_table, show
from services.case import sealing
from services.sync import journal, own_keys
from services.sync.lock import EngineLock

AT_ONCE = 1000

app = typer.Typer(no_args_is_help=True, help="Keys of this node.")


class Key(StrEnum):
    """The keys by name."""

    NODE = "node"
    GATEWAY = "gateway"
    HASH = "hash"
    IDENTITY = "identity"
    SEAL = "seal"


@app.command("new")
def new(
    only: Annotated[list[Key] | None, typer.Option("--only", help="Make this key alone; several times.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make this node's keys: node (signs what it replicates), gateway (signs tokens), hash (hides ids), identity,
    seal (opens what other governorates seal to this one).

    The identity key seals what identifies people; without it nothing of them can be read again. Keep a copy of it away
    from this machine and from the backups of its databases. Never overwrites a key. Give node.pub to every node it has
    a link with, as <node>.pub in their peer_keys, unless the link is made with jisr enrol; give seal.pub to every other
    governorate, as <node>.seal.pub in their peer_keys.

    Example: jisr keys new --settings ninewa.toml
    """
    with explained():
        chosen = read_settings(settings)
        directory = chosen.keys_directory
        chosen_keys = only or list(Key)
        made: list[dict[str, str | None]] = []
        for name in (each for each in (Key.NODE, Key.GATEWAY) if each in chosen_keys):
            key = SigningKey.new()
            key.save(directory / f"{name}.key")
            key.verify_key.save(directory / f"{name}.pub")
            made.append({"key": name.value, "key_id": key.key_id, "public": str(directory / f"{name}.pub")})
        if Key.SEAL in chosen_keys:
            opening = OpeningKey.new()
            opening.save(directory / "seal.key")
            opening.sealing_key.save(directory / "seal.pub")
            made.append({"key": "seal", "key_id": opening.key_id, "public": str(directory / "seal.pub")})
        if Key.HASH in chosen_keys:
            new_hash_key(directory / "hash.key")
            made.append({"key": Key.HASH.value, "key_id": None, "public": None})
        if Key.IDENTITY in chosen_keys:
            made.append(
                {"key": Key.IDENTITY.value, "key_id": key_id(new_secret(directory / IDENTITY_KEY)), "public": None}
            )
        show(made, as_json=as_json, table=lambda: rows_table(["key", "key_id", "public"], made))


@app.command("rotate")
def rotate(
    only: Annotated[Key, typer.Option("--only", help="Which key: identity or node.")] = Key.IDENTITY,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Change the identity key, and wrap the key of every case anew. Stop the case service before, start it after.

    With --only node: change the key that signs what this node replicates. Stop the engine before, start it after. The
    change is an entry of the journal, so nobody has to be told; the former key stays, and is needed.

    The former identity key stays as identity-old.key. While it is there, this only finishes what an earlier call began;
    delete it when no backup that was made under it is to be read again: what was erased is then gone from those, too.

    Example: jisr keys rotate --settings ninewa.toml
    """
    with explained():
        if only not in (Key.IDENTITY, Key.NODE):
            raise BadInput("The keys that can be changed in this way are identity and node.")
        chosen = read_settings(settings)
        if only is Key.NODE:
            told = [_rotate_node(chosen)]
            show(told, as_json=as_json, table=lambda: rows_table(["key_id", "after", "public"], told))
            return
        changed = change(chosen.keys_directory)
        vault = Vault.at(chosen.keys_directory)
        database = opened(chosen, "case")
        database.info[sealing.VAULT] = vault
        recovery_key.keep_on(database, chosen)
        wrapped = 0
        while done := _wrap_some(database):
            wrapped += done
        made = [{"key_id": vault.present, "changed": changed, "wrapped": wrapped}]
        show(made, as_json=as_json, table=lambda: rows_table(["key_id", "changed", "wrapped"], made))


@app.command("recovery")
def recovery(
    file: Annotated[Path, typer.Argument(help="Where the private half goes: a stick that is then locked away.")],
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make this governorate's recovery key, and carry sealed copies of what it keeps to its home directorate.

    What services keep beside their facts (persons, texts, how a case stands) is from then on sealed to this key and
    travels with the journal. Only the file made here opens it. The private half must not stay on this machine: whoever
    has it and the journal reads everything. Start the services again afterwards.

    Example: jisr keys recovery /media/stick/ninewa-recovery.key --settings ninewa.toml
    """
    with explained():
        made = [recovery_key.make(read_settings(settings), file.resolve(), by_of=operator)]
        show(made, as_json=as_json, table=lambda: rows_table(["key_id", "private", "public", "copied"], made))


def _rotate_node(chosen: Settings) -> dict[str, str | int]:
    """While no engine runs: its links would go on with the former key."""
    database = opened(chosen, "sync")
    lock = EngineLock(chosen.node, chosen.home, database)
    try:
        lock.take()
        with database.write() as session:
            journal.begin(session, chosen.node)
            key, number = own_keys.rotate(session, chosen, now())
            about = f"entries after {number} are signed with {key.key_id}"
            audit.record(
                session,
                actor=operator(chosen.node),
                action="rotate_key",
                subject=chosen.node,
                outcome="allowed",
                reason=about,
                at=now(),
            )
        public = own_keys.file_of(chosen, key.key_id).with_suffix(".pub")
        return {"key_id": key.key_id, "after": number, "public": str(public)}
    finally:
        lock.release()


def _wrap_some(database: Database) -> int:
    with database.write_silently() as session:
        return sealing.wrap_anew(session, limit=AT_ONCE)
