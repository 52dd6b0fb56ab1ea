"""A governorate and a directorate in containers, as they are run: every process apart, on PostgreSQL and RabbitMQ.

Two compose projects on two networks; a third network is the line between them. What the tests do to it and to a broker
is what happens in the field.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest
from docker.models.networks import Network

from tests.cluster.engine import NoEngine, docker_engine
from tests.cluster.images import build_images
from tests.cluster.project import Project
from tests.kit import wait

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1500)]

GOVERNORATE, DIRECTORATE = "ninewa", "directorate-baghdad"
CONVERGE_SECONDS = 120
NO = dict.fromkeys(("force", "threat", "injury", "weapon", "child", "money_taken", "images_misused"), "no")


@dataclass
class Cluster:
    """Two nodes and the line between them."""

    ninewa: Project
    baghdad: Project
    line: Network

    def connect(self) -> None:
        """Join the governorate's engine and the directorate's broker, under the name that the link's URL has."""
        self.line.connect(self.baghdad.container("rabbitmq"), aliases=[DIRECTORATE])
        self.line.connect(self.ninewa.container("engine"))

    def open_case(self) -> str:
        """Open a case in Ninewa; its id."""
        body = {"answers": NO, "category": "neighbour_dispute", "channel": "walk_in", "district": "mosul"}
        made: dict[str, Any] = self.ninewa.api("intake").post("/cases", body)
        return str(made["id"])

    def replica(self) -> dict[str, Any]:
        """What Baghdad says of its copy of Ninewa's journal."""
        listed = self.baghdad.api("operator").get("/replicas")["items"]
        return next(item for item in listed if item["origin"] == GOVERNORATE)

    def records(self) -> set[str]:
        """The cases of Ninewa that Baghdad can read."""
        found = self.baghdad.api("analyst").every("/records", kind="case", origin=GOVERNORATE)
        return {record["subject"] for record in found}

    def converged(self) -> bool:
        """Whether Baghdad stands, by number and digest, where Ninewa's journal ends, and the journal has everything."""
        head = self.ninewa.api("operator").get("/journal")["head"]
        return bool(self.replica()["held"] == head)

    def wait_read(self, cases: set[str]) -> None:
        """Wait until Baghdad can read these cases and stands at Ninewa's head."""
        wait.until(lambda: cases <= self.records(), CONVERGE_SECONDS, "Baghdad reads the cases", every=0.5)
        wait.until(self.converged, CONVERGE_SECONDS, "Baghdad stands at Ninewa's head", every=0.5)


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    try:
        with docker_engine() as client:
            yield client
    except NoEngine as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def cluster(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        images = build_images(engine)
        directory = tmp_path_factory.mktemp("cluster")
        baghdad = Project(engine, DIRECTORATE, directory / DIRECTORATE, images, links=[])
        ninewa = Project(engine, GOVERNORATE, directory / GOVERNORATE, images, links=[DIRECTORATE])
    except NoEngine as reason:
        pytest.skip(str(reason))
    _hand_over(ninewa, baghdad)
    line = engine.networks.create(f"jisr-line-{ninewa.port}", internal=True)
    made = Cluster(ninewa, baghdad, line)
    try:
        for node in (baghdad, ninewa):
            node.up()
        made.connect()
        for node in (baghdad, ninewa):
            node.wait_healthy()
        ninewa.add_account("intake", "intake_officer", unit="mosul-left")
        ninewa.add_account("operator", "operator")
        baghdad.add_account("operator", "operator")
        baghdad.add_account("analyst", "federal_analyst")
        yield made
    finally:
        for node in (ninewa, baghdad):
            node.down()
        line.remove()


def _hand_over(ninewa: Project, baghdad: Project) -> None:
    """What people carry between two nodes once: keys, and the user on the directorate's broker."""
    given = baghdad.directory / "handover" / GOVERNORATE
    for kind in ("links", "peers"):
        for file in (given / kind).iterdir():
            taken = ninewa.directory / kind / file.name
            taken.unlink(missing_ok=True)
            taken.write_bytes(file.read_bytes())
    public = f"{GOVERNORATE}.pub"
    (baghdad.directory / "peers" / public).write_bytes((ninewa.directory / "peers" / public).read_bytes())


def test_a_case_opened_in_a_governorate_is_read_at_the_directorate(cluster: Cluster) -> None:
    cluster.wait_read({cluster.open_case()})


def test_what_was_recorded_without_a_line_arrives_when_it_is_back(cluster: Cluster) -> None:
    cluster.wait_read({cluster.open_case()})
    held = cluster.replica()["held"]
    cluster.line.disconnect(cluster.ninewa.container("engine"))
    cases = {cluster.open_case() for _ in range(5)}
    _wait_journaled(cluster, held["number"] + len(cases))
    assert cluster.replica()["held"] == held
    assert not cases & cluster.records()
    cluster.line.connect(cluster.ninewa.container("engine"))
    cluster.wait_read(cases)


def test_a_governorates_broker_lost_with_its_volume_loses_nothing(cluster: Cluster) -> None:
    before = {cluster.open_case() for _ in range(3)}
    _destroy(cluster.ninewa, "rabbitmq", "broker")
    during = {cluster.open_case() for _ in range(3)}
    cluster.ninewa.up("rabbitmq")
    cluster.ninewa.wait_healthy()
    cluster.wait_read(before | during | {cluster.open_case()})


def test_a_directorates_broker_lost_with_its_volume_loses_nothing(cluster: Cluster) -> None:
    before = {cluster.open_case() for _ in range(3)}
    _destroy(cluster.baghdad, "rabbitmq", "broker")
    during = {cluster.open_case() for _ in range(3)}
    cluster.baghdad.up("rabbitmq")
    cluster.line.connect(cluster.baghdad.container("rabbitmq"), aliases=[DIRECTORATE])
    cluster.wait_read(before | during | {cluster.open_case()})


def test_only_the_gateway_can_be_reached_from_outside(cluster: Cluster) -> None:
    published = {
        service
        for service, container in cluster.ninewa.containers().items()
        if any(container.attrs["NetworkSettings"]["Ports"].values())
    }
    assert published == {"gateway"}


def test_no_process_of_jisr_runs_as_root_or_can_change_its_program(cluster: Cluster) -> None:
    for service in ("forum", "case", "notify", "sync", "engine", "gateway"):
        container = cluster.ninewa.container(service)
        assert container.exec_run(["id", "-u"]).output.strip() == b"10001", service
        assert container.attrs["HostConfig"]["ReadonlyRootfs"], service
        assert container.exec_run(["touch", "/opt/jisr/changed"]).exit_code != 0, service


def test_no_secret_stands_in_a_containers_environment_or_command(cluster: Cluster) -> None:
    secrets = [
        (cluster.ninewa.directory / "secrets" / name).read_text().strip()
        for name in ("postgres_password", "database_url", "broker_url")
    ]
    for service, container in cluster.ninewa.containers().items():
        shown = str(container.attrs["Config"]) + str(container.attrs["Args"])
        assert not any(secret in shown for secret in secrets), service


def _wait_journaled(cluster: Cluster, number: int) -> None:
    api = cluster.ninewa.api("operator")
    wait.until(lambda: api.get("/journal")["head"]["number"] >= number, 60, "the journal has the facts", every=0.5)


def _destroy(project: Project, service: str, volume: str) -> None:
    """Kill a container, remove it, and delete its volume."""
    container = project.container(service)
    container.kill()
    container.remove(force=True)
    container.client.volumes.get(project.volume(volume)).remove(force=True)
