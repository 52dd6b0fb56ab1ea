"""One node as a compose project of its own, on its own network, as an operator brings it up."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import docker
from docker.models.containers import Container

from deploy.demo.client import Api
from deploy.new_node import make_node
from deploy.ports import free_port
from tests.cluster.engine import NoEngine
from tests.cluster.images import ROOT, Images
from tests.kit import wait

UP_SECONDS = 240
# Times of the protocol, so that a test need not wait half a minute for a hello.
QUICK = """
[replication]
hello_seconds = 2.0
no_progress_seconds = 5.0
backoff_first_seconds = 0.5
backoff_max_seconds = 2.0
stale_seconds = 10.0
"""


def compose_command() -> list[str]:
    """`docker compose`, or `docker-compose` where the plugin is not installed. Raises NoEngine."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise NoEngine("neither `docker compose` nor `docker-compose` is installed")


class Project:
    """The containers of one node. `id` is the node's and the project's name."""

    def __init__(
        self,
        client: docker.DockerClient,
        node_id: str,
        directory: Path,
        images: Images,
        *,
        links: list[str],
        tls: bool = False,
    ) -> None:
        self.id = node_id
        self.directory = directory
        self.port = free_port()
        self._client = client
        self._name = f"jisr-{secrets.token_hex(3)}-{node_id}"
        self._compose = compose_command()
        self._apis: dict[str, Api] = {}
        self._environment = {
            **os.environ,
            "JISR_NODE_DIR": str(directory),
            "JISR_IMAGE": images.jisr,
            "JISR_RABBITMQ_IMAGE": images.rabbitmq,
            "JISR_POSTGRES_IMAGE": images.postgres,
            "JISR_PUBLISH": f"127.0.0.1:{self.port}",
            "JISR_PUBLISH_BROKER": f"127.0.0.1:{free_port()}",
        }
        self._files = [ROOT / "docker-compose.yml", *([ROOT / "deploy/compose/directorate.yml"] if tls else [])]
        make_node(node_id, directory, ROOT / "deploy" / "topology.toml", broker=f"{node_id}:5672", links=links, tls=tls)
        settings = directory / "settings.toml"
        settings.chmod(0o644)
        settings.write_text(settings.read_text() + QUICK)

    @property
    def address(self) -> str:
        """Where people reach the node."""
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *words: str, stdin: str = "") -> str:
        """Run one compose command on this project, and return what it printed."""
        done = subprocess.run(
            [*self._compose, "-p", self._name, *(word for file in self._files for word in ("-f", str(file))), *words],
            env=self._environment,
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"compose {' '.join(words)}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *services: str) -> None:
        """Bring services up, or all of them."""
        self.compose("up", "-d", "--no-build", *services)

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.compose("down", "--volumes", "--timeout", "5")

    def container(self, service: str) -> Container:
        """The container of a service."""
        found = self._client.containers.list(
            all=True,
            filters={"label": [f"com.docker.compose.project={self._name}", f"com.docker.compose.service={service}"]},
        )
        assert found, f"{self.id} has no container of {service}"
        return found[0]

    def containers(self) -> dict[str, Container]:
        """Every container by its service."""
        found = self._client.containers.list(all=True, filters={"label": f"com.docker.compose.project={self._name}"})
        return {container.labels["com.docker.compose.service"]: container for container in found}

    def volume(self, name: str) -> str:
        """The name under which the engine knows a volume."""
        return f"{self._name}_{name}"

    def wait_healthy(self) -> None:
        """Wait until every container that runs says that it is healthy."""
        wait.until(lambda: not self.unhealthy(), UP_SECONDS, f"{self.id} is healthy", every=1)

    def unhealthy(self) -> dict[str, str]:
        """Containers that are not healthy, and what they are."""
        states = {service: _state(container) for service, container in self.containers().items()}
        return {service: state for service, state in states.items() if state not in ("healthy", "exited 0")}

    def add_account(self, login: str, *roles: str, unit: str | None = None) -> None:
        """Add an account from inside, as an operator would. Its password is its login twice."""
        words = [word for role in roles for word in ("--role", role)]
        words += ["--unit", unit] if unit else []
        self.compose(
            *("exec", "-T", "gateway", "jisr", "user", "add", login, "--name", login, *words),
            stdin=f"{password_of(login)}\n",
        )

    def api(self, login: str) -> Api:
        """The API as that account sees it; one login for all of a test run."""
        if login not in self._apis:
            api = Api(self.address)
            api.log_in(login, password_of(login))
            self._apis[login] = api
        return self._apis[login]


def password_of(login: str) -> str:
    """The password of a test's account."""
    return f"{login} and {login} again"


def _state(container: Container) -> str:
    container.reload()
    state = container.attrs["State"]
    if state["Status"] == "exited":
        return f"exited {state['ExitCode']}"
    return str(state.get("Health", {}).get("Status", state["Status"]))
