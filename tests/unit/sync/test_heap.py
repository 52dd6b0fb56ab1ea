"""Large blocks go back to the system, whatever small ones lie between them."""

import platform
import subprocess
import sys

import pytest

# Blocks of 2 MiB with a kept one of 100 kB after each; what is resident once the large ones are freed, in MiB. The
# first block shows the C library a size that comes and goes.
PROGRAM = """
import sys
from services.sync.heap import give_back_large_blocks
if sys.argv[1] == "asked":
    give_back_large_blocks()
comes_and_goes = b"x" * (8 * 2**20)
del comes_and_goes
blocks, kept = [], []
for _ in range(40):
    blocks.append(b"x" * (2 * 2**20))
    kept.append(b"y" * 100_000)
blocks.clear()
print(int(open("/proc/self/statm").read().split()[1]) * 4096 // 2**20)
"""


def resident(word: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what is asked for is glibc's")
def test_what_large_blocks_took_goes_back_to_the_system() -> None:
    left_alone, asked = resident("left alone"), resident("asked")
    assert asked < 40
    assert left_alone > asked + 60
