"""The command: `python -m tests.faults`."""

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.faults.rig import Rig, Round
from tests.faults.scenarios import SCENARIOS
from tests.faults.scenarios.scenario import chosen as scenario_of
from tests.faults.servers import Servers

EXAMPLES = """
examples:
  python -m tests.faults --seed 7 --rounds 20           twenty rounds that chance takes
  python -m tests.faults --scenario cut --rounds 5      one scenario, five times
  python -m tests.faults --seed 7 --from 13 --rounds 1  round 13 of that seed again
  python -m tests.faults --minutes 40 --report faults.json
  python -m tests.faults --list                         what each scenario does

The exit code is 0 when the rig saw every planted corruption and no round found anything, else 1.
"""
errors = Console(stderr=True, highlight=False)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Harm a small country in every way we know, heal it, and see that nothing was lost.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="the source of all chance; a new one if not given, and printed")
    parser.add_argument("--rounds", type=int, help="how many (10, or as many as fit into --minutes)")
    parser.add_argument("--minutes", type=float, help="begin no round after so long")
    parser.add_argument(
        "--from", type=int, default=1, dest="first", metavar="ROUND", help="the number of the first round"
    )
    parser.add_argument(
        "--scenario", choices=sorted(SCENARIOS), action="append", help="this one; given again, these in turn"
    )
    parser.add_argument("--full", action="store_true", help="at the size of the field: hours, and 350,000 facts")
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="a line of JSON for each round and one at the end"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the summary there, as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="where what explains a failed round is kept")
    parser.add_argument("--unplanted", action="store_true", help="do not first see whether planted corruption is seen")
    parser.add_argument("--list", action="store_true", help="say what each scenario does, and end")
    return parser.parse_args()


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and so stop what was started
    chosen = arguments()
    if chosen.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:28} {scenario.tells}")
        return 0
    seed = secrets.randbelow(10**6) if chosen.seed is None else chosen.seed
    keep = (chosen.keep or Path(tempfile.mkdtemp(prefix="jisr-faults-kept-"))).resolve()
    home = Path(tempfile.mkdtemp(prefix="jisr-faults-"))
    home.chmod(0o755)
    errors.print(f"seed {seed}; what explains a failure is kept in {keep}")
    try:
        with Servers(home) as servers:
            rig = Rig(seed, servers, keep, errors.print, full=chosen.full)
            try:
                return run(rig, chosen)
            finally:
                rig.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(rig: Rig, chosen: argparse.Namespace) -> int:
    began = time.monotonic()
    most = chosen.rounds or (10**9 if chosen.minutes else 10)
    if not chosen.unplanted:
        rig.see_itself_fail()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=errors
    ) as progress:
        task = progress.add_task("rounds", total=chosen.rounds)
        for number in range(chosen.first, chosen.first + most):
            if chosen.minutes and time.monotonic() - began > chosen.minutes * 60:
                break
            scenario = scenario_of(rig.seed, number)
            if chosen.scenario:
                scenario = SCENARIOS[chosen.scenario[(number - chosen.first) % len(chosen.scenario)]]
            progress.update(task, description=f"{number} {scenario.name}, {len(rig.report.failed)} failed")
            tell(rig, rig.play(number, scenario), as_json=chosen.as_json)
            progress.update(task, advance=1)
    summary = rig.report.summary()
    if chosen.report:
        chosen.report.write_text(json.dumps(summary, indent=1) + "\n")
    if chosen.as_json:
        print(json.dumps(summary), flush=True)
    errors.print(
        f"{summary['rounds']} rounds in {summary['seconds']:.0f} s, {len(rig.report.failed)} failed; seed {rig.seed}"
    )
    return 1 if rig.report.failed else 0


def tell(rig: Rig, done: Round, *, as_json: bool) -> None:
    """One round, for people or programs."""
    if as_json:
        print(
            json.dumps(
                {"round": done.number, "scenario": done.scenario, "seconds": done.seconds, "findings": done.findings}
            ),
            flush=True,
        )
    line = f"{done.number:4} {done.scenario:28} {done.seconds:6.1f} s  " + ("FAILED" if done.findings else "whole")
    errors.print(line)
    for finding in done.findings[:5]:
        errors.print(f"       {finding}", markup=False)
    if done.findings:
        again = f"python -m tests.faults --seed {rig.seed} --from {done.number} --rounds 1"
        errors.print(f"       again: {again}; kept in {done.kept}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
