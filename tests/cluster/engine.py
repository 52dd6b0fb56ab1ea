"""A Docker engine for the cluster tests: the one that answers, or a private one started as root.

A private engine keeps its images in a cache directory, so that a second run builds nothing. It is stopped by pid, and
when this process dies the kernel tells it to end, with its containers.
"""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import DockerException

from deploy import children
from tests.kit import wait

START_SECONDS = 60


class NoEngine(RuntimeError):
    """There is no Docker engine here and none can be started; the text says why."""


@contextmanager
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of an engine that works. Raises NoEngine."""
    given = _reachable(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    if given is not None:
        yield given
        given.close()
        return
    with _private_engine() as client:
        yield client
        client.close()


def cache_directory() -> Path:
    """Where images and wheels outlive a run."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = base / "jisr-tests"
    found.mkdir(parents=True, exist_ok=True)
    return found


def _reachable(url: str) -> docker.DockerClient | None:
    if not _listens(url):
        return None
    try:
        return docker.DockerClient(base_url=url, timeout=300)  # asks the engine for its version
    except DockerException:
        return None


def _listens(url: str) -> bool:
    """Whether somebody listens: the SDK leaves its socket open where nobody does, and an open socket fails a test."""
    if not url.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(url.removeprefix("unix://"))
        except OSError:
            return False
    return True


@contextmanager
def _private_engine() -> Iterator[docker.DockerClient]:
    if not children.running_as_root():
        raise NoEngine("no Docker engine answers, and only root may start one")
    for program in ("dockerd", "containerd", "iptables"):
        if shutil.which(program) is None:
            raise NoEngine(f"no Docker engine answers, and {program} is not installed (packages docker.io, iptables)")
    with (
        _cache_to_ourselves(),
        tempfile.TemporaryDirectory(prefix="jisr-docker-", ignore_cleanup_errors=True) as run,
    ):
        log = Path(run) / "dockerd.log"
        url = f"unix://{run}/docker.sock"
        process = children.start(
            [
                *("dockerd", "--host", url, "--data-root", str(cache_directory() / "docker")),
                *("--exec-root", f"{run}/exec", "--pidfile", f"{run}/pid", "--log-level", "warn"),
            ],
            log=log,
            death_signal="TERM",
        )
        try:
            wait.until(lambda: process.poll() is not None or _answers(url), START_SECONDS, "dockerd answers")
            client = _reachable(url)
            if client is None:
                raise NoEngine(f"dockerd could not be started: {children.tail(log, 3)}")
            os.environ["DOCKER_HOST"] = url
            _remove_leftovers(client)
            yield client
        finally:
            os.environ.pop("DOCKER_HOST", None)
            children.stop(process, seconds=60)


@contextmanager
def _cache_to_ourselves() -> Iterator[None]:
    """Wait for another run on this machine to end: two engines cannot share one directory."""
    with (cache_directory() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(client: docker.DockerClient) -> None:
    """Containers of a run that was killed: the engine is private, so all there are."""
    for container in client.containers.list(all=True):
        container.remove(force=True, v=True)
    client.networks.prune()
    client.volumes.prune()


def _answers(url: str) -> bool:
    client = _reachable(url)
    if client is not None:
        client.close()
    return client is not None
