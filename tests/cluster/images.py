"""The images of a node, made from Debian's packages alone, each built once for what it is made of.

The base is debootstrapped in the release whose Python is ours, so that the wheels which pip makes here fit it.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import APIError, ImageNotFound

from tests.cluster.engine import NoEngine, cache_directory

ROOT = Path(__file__).parents[2]
SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
WHAT_JISR_IS_MADE_OF = (
    *("kernel", "contracts", "services", "node", "deploy", "Dockerfile", "pyproject.toml", "README.md"),
    *("requirements.lock", "requirements-build.lock"),
)


@dataclass(frozen=True)
class Images:
    """Tags of the three images of a node."""

    jisr: str
    rabbitmq: str
    postgres: str


def build_images(client: docker.DockerClient) -> Images:
    """Build what is missing. Minutes on a new machine, a second afterwards."""
    base = _base(client)
    return Images(
        jisr=_build(client, "jisr", _jisr_context(), base),
        rabbitmq=_build(client, "rabbitmq", _folder_context(ROOT / "deploy/images/rabbitmq"), base),
        postgres=_build(client, "postgres", _folder_context(ROOT / "deploy/images/postgres"), base),
    )


def _base(client: docker.DockerClient) -> str:
    suite = SUITES.get(sys.version_info[:2])
    if suite is None:
        raise NoEngine(f"no Debian release is known here whose Python is {sys.version_info[0]}.{sys.version_info[1]}")
    if shutil.which("debootstrap") is None:
        raise NoEngine("debootstrap, which makes the base image, is not installed")
    tag = f"jisr-base:{suite}"
    if not _exists(client, tag):
        subprocess.run(["bash", str(ROOT / "deploy/images/make_base.sh"), suite, tag], check=True, timeout=900)
    return tag


def _build(client: docker.DockerClient, name: str, files: dict[str, bytes], base: str) -> str:
    """Build `files` as an image named for their content; the same content is not built again."""
    digest = hashlib.sha256(base.encode())
    for path, content in sorted(files.items()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    tag = f"jisr-test-{name}:{digest.hexdigest()[:16]}"
    if not _exists(client, tag):
        context = io.BytesIO(_archive(files))
        client.images.build(fileobj=context, custom_context=True, tag=tag, buildargs={"BASE_IMAGE": base}, rm=True)
        _remove_older(client, tag)
    return tag


def _remove_older(client: docker.DockerClient, tag: str) -> None:
    """Remove what earlier runs built under this name, unless something runs from it."""
    for image in client.images.list(name=tag.partition(":")[0]):
        for older in image.tags:
            if older != tag:
                with suppress(APIError):
                    client.images.remove(older)


def _exists(client: docker.DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _jisr_context() -> dict[str, bytes]:
    """The sources of the product, and the wheels of what it stands on."""
    files: dict[str, bytes] = {}
    for name in WHAT_JISR_IS_MADE_OF:
        files |= _read(ROOT / name)
    for wheel in _wheels():
        files[f"deploy/images/wheels/{wheel.name}"] = wheel.read_bytes()
    return files


def _folder_context(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def _read(path: Path) -> dict[str, bytes]:
    files: Iterable[Path] = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {
        str(file.relative_to(ROOT)): file.read_bytes()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".pyc", ".whl")
    }


def _wheels() -> list[Path]:
    """The locked packages as wheels, from wherever pip is configured to find them on this machine."""
    locks = [ROOT / "requirements-build.lock", ROOT / "requirements.lock"]
    key = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks) + sys.version.encode()).hexdigest()[:16]
    directory = cache_directory() / f"wheels-{key}"
    if not directory.exists():
        made = directory.with_suffix(".part")
        shutil.rmtree(made, ignore_errors=True)
        words = [word for lock in locks for word in ("-r", str(lock))]
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--require-hashes", *words, "-w", str(made)],
            check=True,
            timeout=900,
        )
        made.rename(directory)
    return sorted(directory.glob("*.whl"))


def _archive(files: dict[str, bytes]) -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return output.getvalue()
