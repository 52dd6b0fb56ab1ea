"""A directorate made with `--tls`, in containers, step by step as docs/links.md says it, and a governorate enrolled."""

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.cluster.engine import NoEngine, docker_engine
from tests.cluster.images import build_images
from tests.cluster.project import Project
from tests.kit import wait

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

GOVERNORATE, DIRECTORATE = "ninewa", "directorate-baghdad"
ADDRESS = f"amqps://{DIRECTORATE}:5671/jisr"
HOME = "/var/lib/jisr"


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    try:
        with docker_engine() as client:
            yield client
    except NoEngine as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def nodes(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Project]]:
    """Ninewa and Baghdad, which do not know each other, and a line from the one's engine to the other's broker."""
    try:
        images, directory = build_images(engine), tmp_path_factory.mktemp("nodes")
        ninewa = Project(engine, GOVERNORATE, directory / GOVERNORATE, images, links=[DIRECTORATE])
        baghdad = Project(engine, DIRECTORATE, directory / DIRECTORATE, images, links=[], tls=True)
    except NoEngine as reason:
        pytest.skip(str(reason))
    line = engine.networks.create(f"jisr-line-{ninewa.port}", internal=True)
    try:
        _prepare(baghdad)
        for node in (baghdad, ninewa):
            node.up()
        line.connect(baghdad.container("rabbitmq"), aliases=[DIRECTORATE])
        line.connect(ninewa.container("engine"))
        for node in (baghdad, ninewa):
            node.wait_healthy()
            node.add_account("operator", "operator")
        ninewa.add_account("intake", "intake_officer", unit="mosul-left")
        yield ninewa, baghdad
    finally:
        for node in (ninewa, baghdad):
            node.down()
        line.remove()


def _prepare(baghdad: Project) -> None:
    """The authority, the broker's certificate, and copies of what the broker needs."""
    one = ("run", "--rm", "--no-deps", "-T")
    baghdad.compose(*one, "engine", "ca", "new")
    baghdad.compose(*one, "engine", "ca", "broker", "--host", DIRECTORATE)
    for name in ("ca.pem", "broker.pem", "broker.key"):
        text = baghdad.compose(*one, "--entrypoint", "cat", "engine", f"{HOME}/ca/{name}")
        (baghdad.directory / "tls" / name).write_text(text)


def test_a_directorate_in_containers_publishes_its_gateway_and_a_port_that_asks_for_a_certificate(
    nodes: tuple[Project, Project],
) -> None:
    _, baghdad = nodes
    assert _published(baghdad) == {"gateway": {"8080/tcp"}, "rabbitmq": {"5671/tcp"}}
    context = ssl.create_default_context(cafile=baghdad.directory / "tls" / "ca.pem")
    port = int(baghdad.container("rabbitmq").attrs["NetworkSettings"]["Ports"]["5671/tcp"][0]["HostPort"])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=DIRECTORATE) as line,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"),
    ):
        line.recv(1)


def _published(project: Project) -> dict[str, set[str]]:
    ports = {service: each.attrs["NetworkSettings"]["Ports"] for service, each in project.containers().items()}
    return {
        service: {port for port, hosts in found.items() if hosts}
        for service, found in ports.items()
        if any(found.values())
    }


def test_a_governorate_in_containers_is_enrolled_and_revoked(nodes: tuple[Project, Project]) -> None:
    ninewa, baghdad = nodes
    _enrol(ninewa, baghdad)
    _open_case(ninewa)
    wait.until(lambda: 0 < _head(ninewa) == _held(baghdad), 120, "the directorate holds the case", every=0.5)

    _jisr(baghdad, "revoke", GOVERNORATE, "--reason", "a test")
    wait.until(lambda: _link(ninewa) == "unauthorised", 120, "the link is refused", every=0.5)
    _jisr(baghdad, "readmit")
    held = _held(baghdad)
    _open_case(ninewa)
    wait.until(lambda: _head(ninewa) > held, 120, "the case is in the journal", every=0.5)
    before = _attempts(ninewa)
    wait.until(lambda: _attempts(ninewa) >= before + 2, 120, "the link tried twice more", every=0.5)
    assert (_link(ninewa), _held(baghdad)) == ("unauthorised", held)


def _enrol(ninewa: Project, baghdad: Project) -> None:
    """Two papers, three steps, and the address in its file."""
    asked = _jisr(ninewa, "enrol", DIRECTORATE, "--out", f"{HOME}/ninewa.request")
    _carry("ninewa.request", ninewa, baghdad)
    papers = (f"{HOME}/ninewa.request", "--out", f"{HOME}/ninewa.answer")
    admitted = _jisr(baghdad, "admit", *papers, "--broker", ADDRESS, "--fingerprint", asked["fingerprint"])
    _carry("ninewa.answer", baghdad, ninewa)
    read_out = ("--fingerprint", admitted["fingerprint"])
    finished = _jisr(ninewa, "enrol", "--finish", f"{HOME}/ninewa.answer", *read_out)
    (ninewa.directory / "links" / DIRECTORATE).write_text(finished["broker"])
    ninewa.compose("restart", "engine")


def _carry(paper: str, giver: Project, taker: Project) -> None:
    text = giver.compose("exec", "-T", "engine", "cat", f"{HOME}/{paper}")
    taker.compose("exec", "-T", "engine", "sh", "-c", f"cat >{HOME}/{paper}", stdin=text)


def _jisr(node: Project, *words: str) -> Any:
    """What a command says in the container that has the node's key."""
    return json.loads(node.compose("exec", "-T", "engine", "jisr", *words, "--json"))


def _open_case(ninewa: Project) -> None:
    answers = dict.fromkeys(("force", "threat", "injury", "weapon", "child", "money_taken", "images_misused"), "no")
    body = {"answers": answers, "category": "neighbour_dispute", "channel": "walk_in", "district": "mosul"}
    ninewa.api("intake").post("/cases", body)


def _link(ninewa: Project) -> str:
    links = ninewa.api("operator").get("/links")["items"]
    return next(str(link["state"]) for link in links if link["destination"] == DIRECTORATE)


def _attempts(ninewa: Project) -> int:
    """How often a connection of the engine ended, or was never made."""
    return ninewa.compose("logs", "engine").count('"wire.down"')


def _head(ninewa: Project) -> int:
    return int(ninewa.api("operator").get("/journal")["head"]["number"])


def _held(baghdad: Project) -> int:
    """Where its replica stands; 0 while there is none."""
    replicas = baghdad.api("operator").get("/replicas")["items"]
    return next((int(one["held"]["number"]) for one in replicas if one["origin"] == GOVERNORATE), 0)
