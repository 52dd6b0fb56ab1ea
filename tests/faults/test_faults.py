"""A short selection of the fault rig: it sees what was planted, and a few rounds with one seed find nothing.

One country for all of them. The whole rig is a command: docs/faults.md.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.rig import Rig
from tests.faults.scenarios import SCENARIOS
from tests.faults.servers import Servers

pytestmark = pytest.mark.timeout(600)  # the first test starts the servers and makes the country
SEED = 3
SELECTED = ("crash-point", "cut", "broker-forgets", "repeated-and-reordered", "directorate-restored")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    home = Path(mkdtemp(prefix="jisr-faults-"))  # PostgreSQL's user must be let through, all the way down
    home.chmod(0o755)
    try:
        with Servers(home) as servers:
            made = Rig(SEED, servers, tmp_path_factory.mktemp("kept"), print, full=False)
            try:
                yield made
            finally:
                made.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_the_rig_sees_what_was_planted(rig: Rig) -> None:
    rig.see_itself_fail()
    assert len(rig.report.planted) == 4


@pytest.mark.parametrize("name", SELECTED)
def test_nothing_is_lost_repeated_or_said_wrong(rig: Rig, name: str) -> None:
    done = rig.play(SELECTED.index(name) + 1, SCENARIOS[name])
    assert not done.findings, f"kept in {done.kept}"
