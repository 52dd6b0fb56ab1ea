"""What every file of the repository keeps to."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.repo.documents import ROOT, sources

LONGEST, LONGEST_TEST = 400, 600
# In two parts each, so that this file itself passes.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
OF_ONE_MACHINE = ["/wo" + "rk/", "../sha" + "red", "/ro" + "ot/", "/ho" + "me/"]
PRODUCT = ("kernel", "contracts", "services", "node", "deploy")
NAMES_THAT_NAME_NOTHING = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}


def _tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    found = []
    for file in _tracked():
        try:
            found.append((file.relative_to(ROOT), file.read_text("utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_nothing_is_left_to_be_done_later() -> None:
    found = [f"{name}: {match[0]}" for name, text in _texts() if (match := UNFINISHED.search(text))]
    assert not found, f"finish or remove: {', '.join(found)}"


def test_no_file_names_a_place_on_one_machine() -> None:
    found = [f"{name}: {place}" for name, text in _texts() for place in OF_ONE_MACHINE if place in text]
    assert not found, f"names a place on one machine: {', '.join(found)}"


@pytest.mark.parametrize(("folders", "longest"), [(PRODUCT, LONGEST), (("tests",), LONGEST_TEST)])
def test_no_python_file_holds_two_ideas(folders: tuple[str, ...], longest: int) -> None:
    long = [
        f"{file.relative_to(ROOT)} ({lines})"
        for file in sources(*folders)
        if (lines := len(file.read_text("utf-8").splitlines())) > longest
    ]
    assert not long, f"longer than {longest} lines, does it hold two ideas? {', '.join(long)}"


def test_every_module_is_named_for_what_it_is() -> None:
    vague = [str(file.relative_to(ROOT)) for file in sources(*PRODUCT) if file.stem in NAMES_THAT_NAME_NOTHING]
    assert not vague, f"name the thing: {', '.join(vague)}"


def test_every_module_begins_with_its_theory() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in sources(*PRODUCT)
        if (text := file.read_text("utf-8").strip()) and not text.startswith(('"""', 'r"""'))
    ]
    assert not silent, f"no docstring: {', '.join(silent)}"


def test_no_test_sleeps() -> None:
    asleep = [
        str(file.relative_to(ROOT))
        for file in sources("tests")
        if "time.sleep(" in file.read_text("utf-8") and file.parent.name != "kit" and file != Path(__file__)
    ]
    assert not asleep, f"wait for a condition with a bound (tests.kit.wait): {', '.join(asleep)}"


@pytest.mark.parametrize(
    "script", [*ROOT.glob("deploy/**/*.sh"), ROOT / "tests/run.sh", ROOT / ".ci/run"], ids=lambda script: script.name
)
def test_every_script_parses(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
