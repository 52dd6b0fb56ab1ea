"""A directorate made with `--tls`, in containers, prepared step by step as docs/links.md says it."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.cluster.engine import NoEngine, docker_engine
from tests.cluster.images import build_images
from tests.cluster.project import Project

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

DIRECTORATE = "directorate-baghdad"
HOME = "/var/lib/jisr"


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    try:
        with docker_engine() as client:
            yield client
    except NoEngine as reason:
        pytest.skip(str(reason))


@pytest.fixture
def baghdad(engine: docker.DockerClient, tmp_path: Path) -> Iterator[Project]:
    try:
        made = Project(engine, DIRECTORATE, tmp_path / DIRECTORATE, build_images(engine), links=[], tls=True)
    except NoEngine as reason:
        pytest.skip(str(reason))
    try:
        _prepare(made)
        made.up()
        made.wait_healthy()
        yield made
    finally:
        made.down()


def _prepare(baghdad: Project) -> None:
    """The authority, the broker's certificate, and copies of what the broker needs."""
    one = ("run", "--rm", "--no-deps", "-T")
    baghdad.compose(*one, "engine", "ca", "new")
    baghdad.compose(*one, "engine", "ca", "broker", "--host", DIRECTORATE)
    for name in ("ca.pem", "broker.pem", "broker.key"):
        text = baghdad.compose(*one, "--entrypoint", "cat", "engine", f"{HOME}/ca/{name}")
        (baghdad.directory / "tls" / name).write_text(text)


def test_a_directorate_in_containers_publishes_its_gateway_and_a_port_that_asks_for_a_certificate(
    baghdad: Project,
) -> None:
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
