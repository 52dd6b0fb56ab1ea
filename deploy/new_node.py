"""The files of one real node, for docker-compose.yml: settings, keys, passwords, the broker's users and rights.

    python3 -m deploy.new_node ninewa this-node

makes the directory `this-node`, which nobody but its owner may enter:

    settings.toml                the node's settings, as they are inside its containers
    keys/                        node, gateway, hash, identity and seal keys: made once; keep a copy elsewhere
    secrets/                     passwords, and the definitions from which the node's broker makes its users
    peers/                       <node>.pub of every node that this one has a link with, <node>.seal.pub of governorates
    links/<directorate>          on a governorate: the URL of that directorate's broker; empty until it is handed over
    handover/<governorate>/      on a directorate: what that governorate needs from this one
    topology.toml                the country, as this node knows it
    rules.toml                   deadlines and thresholds: the defaults, to be set by policy

A link needs three things carried by hand, once: the directorate's `handover/<governorate>/links/*` and `peers/*` into
the governorate's node directory, and the governorate's own public key into the directorate's `peers/`. `--broker` names
how governorates reach the directorate's broker, `--link` to which directorates a governorate dials out. A directorate
that is made with `--tls` hands over nothing: nodes are enrolled with it, see docs/links.md.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contracts import topology
from deploy.rabbitmq import password_entry
from kernel.crypto import OpeningKey, SigningKey, new_hash_key, new_secret
from kernel.errors import JisrError, SettingsError
from kernel.vault import IDENTITY_KEY

OWN_USER = "jisr"
ADMIN_USER = "jisr-admin"  # makes the users of nodes that are admitted, through the management interface
VHOST = "jisr"
SETTINGS = """\
# Settings of the node {node}, as its containers see them. Every key: docs/operations.md.
node = "{node}"
home = "/var/lib/jisr"
topology = "/etc/jisr/topology.toml"
rules = "/etc/jisr/rules.toml"
host = "0.0.0.0"
database_url_file = "/run/secrets/database_url"
broker_url_file = "/run/secrets/broker_url"
keys = "/run/secrets"
peer_keys = "/etc/jisr/peers"

[urls]
forum = "http://forum:8101"
case = "http://case:8102"
notify = "http://notify:8103"
sync = "http://sync:8104"
engine = "http://engine:8105"
gateway = "http://gateway:8080"
"""
LINK = """
[links.{destination}]
broker_url_file = "/etc/jisr/links/{destination}"
"""
BROKER_ADMIN = """
[broker_admin]
url_file = "/run/secrets/broker_admin_url"
"""


def make_node(
    node_id: str,
    directory: Path,
    topology_file: Path,
    *,
    broker: str,
    links: Sequence[str] | None = None,
    tls: bool = False,
) -> None:
    """Write the files of a node, with `links` to those directorates, by default to all that the topology links it to.

    With `tls` a directorate hands over nothing: governorates are enrolled, and their users have no passwords.

    Raises `SettingsError` for an unknown node or link, FileExistsError for a directory in use.
    """
    country = topology.load(topology_file)
    origins, destinations = _linked(country, node_id, links)
    administered = tls and country.node(node_id).kind is topology.NodeKind.DIRECTORATE
    if administered:
        origins = []
    directory.mkdir(mode=0o700, parents=True)
    # Inside, all may read: a container's user is not the host's. Nobody else gets past the directory itself.
    for name in ("keys", "secrets", "peers", "links"):
        (directory / name).mkdir(mode=0o755)
    _write_keys(directory, node_id)
    passwords = _write_secrets(directory, origins, administered=administered)
    for origin in origins:
        _write_handover(directory, node_id, origin, passwords[origin], broker)
    _write(directory / "topology.toml", topology_file.read_text("utf-8"))
    _write(directory / "rules.toml", (Path(__file__).parent / "rules.toml").read_text("utf-8"))
    for name in destinations:
        _await_address(directory / "links" / name)
    text = SETTINGS.format(node=node_id) + "".join(LINK.format(destination=name) for name in destinations)
    if administered:
        (directory / "tls").mkdir(mode=0o755)
        text += BROKER_ADMIN
    _write(directory / "settings.toml", text)


def _await_address(path: Path) -> None:
    """An address that nobody has handed over yet: the node starts without it, and the link says what is missing."""
    path.touch(mode=0o644)
    path.chmod(0o644)


def _linked(country: topology.Topology, node_id: str, links: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Who dials in here, and to whom this node dials out: only governorates dial."""
    if country.node(node_id).kind is topology.NodeKind.DIRECTORATE:
        return [link.origin for link in country.links_to(node_id)], []
    possible = [link.destination for link in country.links_from(node_id)]
    for name in links or ():
        if name not in possible:
            raise SettingsError(f"{node_id} has no link with {name}; it may have one with {', '.join(possible)}.")
    return [], list(possible if links is None else links)


def _write_keys(directory: Path, node_id: str) -> None:
    for name in ("node", "gateway"):
        key = SigningKey.new()
        key.save(directory / "keys" / f"{name}.key")
        key.verify_key.save(directory / "keys" / f"{name}.pub")
    new_hash_key(directory / "keys" / "hash.key")
    opening = OpeningKey.new()
    opening.save(directory / "keys" / "seal.key")
    opening.sealing_key.save(directory / "keys" / "seal.pub")
    new_secret(directory / "keys" / IDENTITY_KEY)
    for path in (directory / "keys").iterdir():
        path.chmod(0o444)
    _write(directory / "peers" / f"{node_id}.pub", (directory / "keys" / "node.pub").read_text())
    _write(directory / "peers" / f"{node_id}.seal.pub", (directory / "keys" / "seal.pub").read_text())


def _write_secrets(directory: Path, governorates: list[str], *, administered: bool) -> dict[str, str]:
    """Passwords by user, written where each is needed; the broker's users and rights as its definitions."""
    passwords = {user: secrets.token_urlsafe(24) for user in (OWN_USER, *governorates)}
    users = definitions(passwords, governorates)
    if administered:
        password = secrets.token_urlsafe(24)
        users["users"].append(password_entry(ADMIN_USER, password, tags="administrator"))
        _write(directory / "secrets" / "broker_admin_url", f"http://{ADMIN_USER}:{password}@rabbitmq:15672")
    database = secrets.token_urlsafe(24)
    kept = directory / "secrets"
    _write(kept / "postgres_password", database)
    _write(kept / "database_url", f"postgresql+psycopg2://jisr:{database}@postgres:5432/jisr_{{service}}")
    _write(kept / "broker_url", _url("rabbitmq:5672", OWN_USER, passwords[OWN_USER]))
    _write(kept / "rabbitmq_definitions.json", json.dumps(users, indent=1))
    return passwords


def _write_handover(directory: Path, node_id: str, governorate: str, password: str, broker: str) -> None:
    given = directory / "handover" / governorate
    for name in ("links", "peers"):
        (given / name).mkdir(parents=True)
    _write(given / "links" / node_id, _url(broker, governorate, password))
    _write(given / "peers" / f"{node_id}.pub", (directory / "keys" / "node.pub").read_text())


def definitions(passwords: Mapping[str, str], governorates: list[str]) -> dict[str, Any]:
    """RabbitMQ definitions: one virtual host, the node's own user, and one user for each governorate that dials in.

    A governorate may declare nothing, write only its own routing key, read only its own queue.
    """
    own = {"user": OWN_USER, "vhost": VHOST, "configure": ".*", "write": ".*", "read": ".*"}
    theirs = [
        {
            **{"user": name, "vhost": VHOST, "configure": "^$"},
            **{"write": r"^jisr\.up$", "read": rf"^jisr\.down\.{name}$"},
        }
        for name in governorates
    ]
    keys = [
        {
            **{"user": name, "vhost": VHOST, "exchange": "jisr.up"},
            **{"write": rf"^up\.{name}$", "read": "^$"},
        }
        for name in governorates
    ]
    return {
        "vhosts": [{"name": VHOST}],
        "users": [password_entry(user, password) for user, password in passwords.items()],
        "permissions": [own, *theirs],
        "topic_permissions": keys,
    }


def _url(place: str, user: str, password: str) -> str:
    return f"amqp://{quote(user, safe='')}:{password}@{place}/{VHOST}"


def _write(path: Path, text: str) -> None:
    path.write_text(text if text.endswith("\n") else f"{text}\n", "utf-8")
    path.chmod(0o444)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.new_node", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("node", help="the node's id in the topology")
    parser.add_argument("directory", type=Path, help="the directory to make")
    parser.add_argument("--topology", type=Path, default=Path(__file__).parent / "topology.toml")
    parser.add_argument("--broker", help="host:port at which governorates reach this directorate's broker")
    parser.add_argument("--tls", action="store_true", help="a directorate to which nodes dial in by mutual TLS")
    parser.add_argument("--link", action="append", help="a directorate to dial out to; default: every one it may")
    chosen = parser.parse_args()
    try:
        broker = chosen.broker or f"{chosen.node}:5672"
        make_node(chosen.node, chosen.directory, chosen.topology, broker=broker, links=chosen.link, tls=chosen.tls)
    except JisrError as error:
        print(error.message, file=sys.stderr)
        return 2
    except FileExistsError:
        print(f"{chosen.directory} exists; keys are never overwritten.", file=sys.stderr)
        return 2
    print(f"Made {chosen.directory}. Next: docker compose up -d, and what docs/operations.md says of links.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
