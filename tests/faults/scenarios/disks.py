"""A disk that is full: a small file system where we may mount one, else a limit on what a process may write."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.node import Node
from tests.faults.scenarios.scenario import scenario
from tests.faults.stage import Stage
from tests.kit.small_country import ERBIL

MIB = 1024 * 1024
ROOM = 16 * MIB  # beside what the node has already


@scenario(weight=3)
def disk_full(stage: Stage) -> None:
    """The disk of a node is full for a while; officers are told so, and nothing that was accepted is lost."""
    name = stage.dice.choice(("ninewa", ERBIL))
    node = stage.country[name]
    with _small_disk(stage, node) as mounted:
        stage.country.wait(node.serves, 60, f"{name} serves again")  # one that starts on a full disk ends
        if mounted:
            filler = node.home / "filler"
            with filler.open("wb") as file:
                _fill(file.fileno())
            stage.say(f"the disk of {name} is full")
            stage.let_pass(1.0, 3.0)
            filler.unlink()
            stage.say("there is room again")
            stage.let_pass(0.5, 1.0)
        else:
            _limit(node, 4096)
            stage.say(f"no process of {name} may write beyond 4 KiB of a file")
            stage.let_pass(1.0, 3.0)
            _limit(node, resource.RLIM_INFINITY)


def _fill(descriptor: int) -> None:
    """Write until not a byte more fits."""
    for size in (MIB, 4096, 1):
        try:
            while True:
                os.write(descriptor, bytes(size))
        except OSError:
            continue


def _limit(node: Node, size: int) -> None:
    for process in node.running.values():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def _small_disk(stage: Stage, node: Node) -> Iterator[bool]:
    """Move a stopped node's home to a small file system, and back; False where we may not mount one."""
    beside = node.home.with_name(f"{node.name}-beside")
    used = sum(file.stat().st_size for file in node.home.rglob("*") if file.is_file())
    if not _may_mount(beside):
        yield False
        return
    _stopped_while(stage, node, lambda: _mount(node, beside, used + ROOM))
    try:
        yield True
    finally:
        _stopped_while(stage, node, lambda: _unmount(node, beside))


def _may_mount(directory: Path) -> bool:
    directory.mkdir()
    tried = subprocess.run(["mount", "-t", "tmpfs", "none", str(directory)], capture_output=True, check=False)
    if tried.returncode == 0:
        subprocess.run(["umount", str(directory)], check=True)
    directory.rmdir()
    return tried.returncode == 0


def _stopped_while(stage: Stage, node: Node, work: Callable[[], None]) -> None:
    stage.country.keep_down(node.name)
    node.stop()
    try:
        with node.swapped():
            work()
    finally:
        stage.country.let_up(node.name)


def _mount(node: Node, beside: Path, size: int) -> None:
    shutil.copytree(node.home, beside)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", str(node.home)], check=True)
    shutil.copytree(beside, node.home, dirs_exist_ok=True)
    shutil.rmtree(beside)


def _unmount(node: Node, beside: Path) -> None:
    shutil.copytree(node.home, beside)
    subprocess.run(["umount", "-l", str(node.home)], check=True)
    shutil.rmtree(node.home, ignore_errors=True)
    beside.rename(node.home)
