"""Which Python the demo and the tests run on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "deploy" / "lib"
SYSTEM = "/usr/bin/python3"


def find_python(**environment: str) -> subprocess.CompletedProcess[str]:
    sourced = " ".join(f". {LIBRARY}/{name}.sh;" for name in ("say", "packages", "python"))
    clean = {name: value for name, value in os.environ.items() if name != "JISR_PYTHON"}
    words = ["bash", "-c", f"{sourced} find_python"]
    return subprocess.run(words, env=clean | environment, capture_output=True, text=True, check=False)


def test_the_one_that_is_named_is_taken() -> None:
    assert find_python(JISR_PYTHON=sys.executable).stdout == f"{sys.executable}\n"


def test_a_named_one_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for named in (str(old), str(tmp_path / "none")):
        said = find_python(JISR_PYTHON=named)
        assert said.returncode != 0
        assert f"JISR_PYTHON names {named}, which is no Python 3.11 or later" in said.stderr


def test_the_systems_comes_before_others_on_path(tmp_path: Path) -> None:
    can = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    if not Path(SYSTEM).exists() or subprocess.run([SYSTEM, "-c", can], capture_output=True, check=False).returncode:
        pytest.skip(f"{SYSTEM} is older than 3.11 or makes no virtual environments")
    (tmp_path / "python3").symlink_to(sys.executable)
    assert find_python(PATH=f"{tmp_path}:{os.environ['PATH']}").stdout == f"{SYSTEM}\n"
