"""Nodes of a small country that are joined as operators join them: enrol, admit, finish."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import requests
from sqlmodel import select
from typer.testing import CliRunner

from node.cli import app
from services.sync.tables import Quarantine
from tests.kit import wait
from tests.kit.rabbitmq import Vhost
from tests.kit.small_country import BAGHDAD, ERBIL
from tests.links.gate import Gate
from tests.replication.country import Country, Node


class SecureCountry(Country):
    """`BAGHDAD` has an authority and administers its broker; nobody knows anybody's key."""

    def __init__(self, directory: Path, gate: Gate, make_vhost: Callable[[], Vhost], databases: Any) -> None:
        super().__init__(directory, make_vhost, databases)
        self.gate = gate
        for file in self.peers.iterdir():
            file.unlink()
        baghdad = self[BAGHDAD]
        gate.write_authority(baghdad.home / "ca")
        for node in self.nodes.values():
            self._write_settings(node)
        self.append(baghdad, "[broker_admin]", f'url = "{gate.admin_url}"')

    def _write_settings(self, node: Node) -> None:
        """Without links, and without the key of anybody else."""
        node.links = {}
        own = self.directory / f"peers-of-{node.name}"
        own.mkdir(exist_ok=True)
        node.write_settings()
        node.settings_file.write_text(node.settings_file.read_text().replace(str(self.peers), str(own)))

    def burn(self, name: str) -> Node:
        """Nothing is left of a node; in its place stands a new machine, with keys of its own and empty databases."""
        self[name].close()
        shutil.rmtree(self[name].home)
        self.nodes[name] = Node(self, name)
        self._write_settings(self[name])
        return self[name]

    def append(self, node: Node, *lines: str) -> None:
        """Add tables to a node's settings."""
        with node.settings_file.open("a") as file:
            file.write("\n".join(["", *lines, ""]))

    def jisr(self, name: str, *words: str, exit_code: int = 0) -> Any:
        """Run a command of a node, and read what it prints; the error's text when it is to fail."""
        result = CliRunner().invoke(app, [*words, "--json"], env={"JISR_SETTINGS": str(self[name].settings_file)})
        assert result.exit_code == exit_code, result.output
        return msgspec.json.decode(result.stdout) if exit_code == 0 else {"said": result.stderr}

    def paper(self, name: str, word: str) -> Path:
        return self.directory / f"{name}.{word}"

    def request(self, name: str, destination: str = BAGHDAD) -> dict[str, Any]:
        return self.jisr(name, "enrol", destination, "--out", str(self.paper(name, "request")))

    def admit(self, name: str, fingerprint: str, *more: str, exit_code: int = 0) -> dict[str, Any]:
        request, answer = str(self.paper(name, "request")), str(self.paper(name, "answer"))
        words = ("admit", request, "--out", answer, "--fingerprint", fingerprint, *more)
        return self.jisr(BAGHDAD, *words, exit_code=exit_code)

    def finish(self, name: str, fingerprint: str, exit_code: int = 0) -> dict[str, Any]:
        answer = str(self.paper(name, "answer"))
        return self.jisr(name, "enrol", "--finish", answer, "--fingerprint", fingerprint, exit_code=exit_code)

    def join(self, name: str) -> None:
        """The whole ceremony, and the address in the settings."""
        admitted = self.admit(name, self.request(name)["fingerprint"])
        self.finish(name, admitted["fingerprint"])
        url = self.gate.url(self[BAGHDAD].vhost.name)
        self.append(self[name], f'[links."{BAGHDAD}"]', f'broker_url = "{url}"')

    def close(self) -> None:
        super().close()
        for user in ("ninewa", "duhok", "ninewa.2", ERBIL):
            self.gate.admin.shut_out(user)


def attempts(node: Node) -> int:
    """How often a node's engine lost or failed to make a connection."""
    return node.log().count('"wire.down"')


def gets_in(node: Node) -> int:
    """How often a node's engine got through to Baghdad's broker."""
    lines = node.log().splitlines()
    return sum('"wire.up"' in line and f"to {BAGHDAD}" in line for line in lines)


def tries_again(node: Node, times: int) -> None:
    """Wait until a node's engine has failed to connect `times` more."""
    before = attempts(node)
    wait.until(lambda: attempts(node) >= before + times, seconds=60, what=f"{node.name} tried {times} times more")


def metric(node: Node, name: str, **labels: str) -> float | None:
    """A sample of a node's engine; None while there is none."""
    text = requests.get(f"http://127.0.0.1:{node.port}/metrics", timeout=10).text
    wanted = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
    values = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(f"{name}{wanted} ")]
    return float(values[0]) if values else None


def put_aside(node: Node) -> list[str]:
    """Why messages were quarantined, in their order."""
    with node.database.read() as session:
        return [row.reason for row in session.exec(select(Quarantine).order_by(Quarantine.id)).all()]  # type: ignore[arg-type]
