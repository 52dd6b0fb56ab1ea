"""The command line as an operator meets it: real settings, real databases, real exit codes."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from kernel import audit
from kernel.clock import now
from kernel.database import Database
from node.cli import app
from services.sync import journal
from services.sync.replicas import Refused
from services.sync.tables import Witnessed
from tests.kit import wait
from tests.kit.nodes import Country, Node
from tests.services.sync.facts import fact, slice_of
from tests.services.sync.replica_kit import Origin, Taker

COMMANDS = [
    ("run",),
    ("migrate",),
    ("status",),
    ("verify",),
    ("proof",),
    ("retention",),
    ("witness",),
    ("link", "list"),
    ("link", "pause"),
    ("link", "resume"),
    ("bundle", "export"),
    ("bundle", "import"),
    ("evidence", "export"),
    ("evidence", "import"),
    ("quarantine", "list"),
    ("quarantine", "show"),
    ("quarantine", "discard"),
    ("parked", "list"),
    ("parked", "retry"),
    ("parked", "skip"),
    ("dead", "list"),
    ("dead", "replay"),
    ("user", "add"),
    ("user", "list"),
    ("user", "disable"),
    ("user", "enable"),
    ("user", "roles"),
    ("user", "posting"),
    ("keys", "new"),
    ("keys", "rotate"),
]


@pytest.fixture
def ninewa(country: Country) -> Node:
    node = country.add("ninewa", links=[country.add("directorate-baghdad"), country.add("directorate-erbil")])
    node.migrate()
    return node


def jisr(node: Node, *words: str) -> Result:
    """Run a command in this process: the same code, without waiting for an interpreter to start."""
    return CliRunner().invoke(app, [*words], env={"JISR_SETTINGS": str(node.settings_file)})


def add_user(node: Node, login: str, password: str, *more: str) -> Result:
    file = node.home / f"{login}.password"
    file.write_text(password)
    words = ["--role", "intake_officer", "--name", "Test", "--password-file", str(file), *more]
    return jisr(node, "user", "add", login, *words)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"]).stdout
    assert f"Example: jisr {' '.join(command)}" in " ".join(shown.split())
    assert "--settings" in shown


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != ("run",)], ids=" ".join)
def test_every_command_can_be_read_by_a_program(command: tuple[str, ...]) -> None:
    assert "--json" in CliRunner().invoke(app, [*command, "--help"]).stdout


def test_migrating_again_applies_nothing(ninewa: Node) -> None:
    done = json.loads(jisr(ninewa, "migrate", "--json").stdout)
    assert {each["service"]: each["applied"] for each in done} == {
        service: [] for service in ("forum", "case", "notify", "sync", "gateway")
    }


def test_a_database_that_lacks_a_migration_is_not_served(country: Country) -> None:
    node = country.add("ninewa")
    refused = node.jisr("run", "forum", check=False)
    assert refused.returncode == 2
    assert "jisr migrate" in refused.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"node": "atlantis"}, "`node` is atlantis"),
        ({"topology": "nowhere.toml"}, "nowhere.toml"),
        ({"links": {"atlantis": {"broker_url": "amqp://x"}}}, "`links.atlantis`"),
        ({"log_level": "loud"}, "`log_level`"),
    ],
)
def test_a_broken_settings_file_is_refused_naming_the_key_and_the_file(
    country: Country, change: dict[str, object], named: str
) -> None:
    node = country.add("ninewa")
    node.change(**change)
    refused = jisr(node, "run", "all")
    assert refused.exit_code == 2
    assert named in refused.stderr
    assert ".toml" in refused.stderr


def test_a_password_is_never_taken_from_the_command_line(ninewa: Node) -> None:
    assert "--password-file" in jisr(ninewa, "user", "add", "--help").stdout
    refused = jisr(ninewa, "user", "add", "amal", "--role", "intake_officer", "--name", "A", "--password", "x")
    assert refused.exit_code == 2


def test_users_are_added_listed_and_disabled_without_showing_a_password(ninewa: Node) -> None:
    added = add_user(ninewa, "amal", "long-enough-passphrase", "--json")
    assert added.exit_code == 0
    assert "passphrase" not in added.stdout
    assert add_user(ninewa, "amal", "long-enough-passphrase").exit_code == 2
    weak = add_user(ninewa, "short", "short")
    assert (weak.exit_code, "password" in weak.stderr) == (2, True)
    jisr(ninewa, "user", "disable", "amal")
    (listed,) = json.loads(jisr(ninewa, "user", "list", "--json").stdout)
    assert (listed["login"], listed["active"], listed["roles"]) == ("amal", False, ["intake_officer"])
    assert "argon2" not in json.dumps(listed)
    unknown = jisr(ninewa, "user", "disable", "nobody")
    assert (unknown.exit_code, "nobody" in unknown.stderr) == (2, True)


def test_roles_posting_and_being_let_in_again_are_said_by_login(ninewa: Node) -> None:
    add_user(ninewa, "amal", "long-enough-passphrase")
    given = jisr(ninewa, "user", "roles", "amal", "--role", "unit_supervisor", "--role", "operator", "--json")
    assert json.loads(given.stdout)["roles"] == ["operator", "unit_supervisor"]
    posted = json.loads(jisr(ninewa, "user", "posting", "amal", "--unit", "mosul-right", "--json").stdout)
    assert (posted["unit"], posted["forums"]) == ("mosul-right", [])
    assert json.loads(jisr(ninewa, "user", "posting", "amal", "--json").stdout)["unit"] is None
    jisr(ninewa, "user", "disable", "amal")
    assert json.loads(jisr(ninewa, "user", "enable", "amal", "--json").stdout)["active"] is True
    wrong = jisr(ninewa, "user", "roles", "amal", "--role", "sheriff")
    assert (wrong.exit_code, jisr(ninewa, "user", "roles", "nobody", "--role", "operator").exit_code) == (2, 2)
    assert "sheriff" not in json.loads(jisr(ninewa, "user", "list", "--json").stdout)[0]["roles"]


def test_keys_are_made_once_and_never_overwritten(ninewa: Node, tmp_path: Path) -> None:
    ninewa.change(keys=str(tmp_path / "other"))
    made = json.loads(jisr(ninewa, "keys", "new", "--json").stdout)
    assert [each["key"] for each in made] == ["node", "gateway", "seal", "hash", "identity"]
    again = jisr(ninewa, "keys", "new")
    assert (again.exit_code, "never overwritten" in again.stderr) == (2, True)


def test_pausing_and_resuming_a_link_is_shown_and_audited(ninewa: Node) -> None:
    paused = json.loads(jisr(ninewa, "link", "pause", "directorate-erbil", "--json").stdout)
    assert (paused["state"], paused["paused"]) == ("paused", True)
    links = {each["destination"]: each for each in json.loads(jisr(ninewa, "link", "list", "--json").stdout)}
    assert {name: each["paused"] for name, each in links.items()} == {
        "directorate-baghdad": False,
        "directorate-erbil": True,
    }
    assert links["directorate-baghdad"]["behind"] == {"known": False, "entries": None, "seconds": None}
    jisr(ninewa, "link", "resume", "directorate-erbil")
    database = Database(ninewa.settings.database_url_of("sync"), service="sync")
    with database.read() as session:
        lines = session.execute(text("SELECT action, subject FROM audit_entry ORDER BY number")).all()
    database.close()
    assert [tuple(line) for line in lines] == [
        ("pause_link", "directorate-erbil"),
        ("resume_link", "directorate-erbil"),
    ]
    unknown = jisr(ninewa, "link", "pause", "duhok")
    assert (unknown.exit_code, "directorate-baghdad" in unknown.stderr) == (2, True)


def test_verify_names_an_altered_audit_line(ninewa: Node) -> None:
    assert jisr(ninewa, "verify").exit_code == 0
    database = Database(ninewa.settings.database_url_of("case"), service="case")
    with database.write() as session:
        for number in range(3):
            audit.record(
                session, actor=None, action="look", subject=str(number), outcome="allowed", reason=None, at=now()
            )
        session.execute(text("UPDATE audit_entry SET action = 'nothing' WHERE number = 2"))
    database.close()
    found = jisr(ninewa, "verify", "--json")
    assert found.exit_code == 1
    wrong = [report for report in json.loads(found.stdout) if not report["ok"]]
    assert [(report["what"], report["altered"]) for report in wrong] == [("audit log of case", 2)]


def test_verify_repairs_records_and_says_so(ninewa: Node) -> None:
    database = Database(ninewa.settings.database_url_of("sync"), service="sync")
    with database.write() as session:
        journal.begin(session, "ninewa")
        made = [fact(type="concern.raised.v1") for _ in range(3)]  # a case would be looked for in its service too
        journal.append(session, [journal.take(slice_of(made))], origin="ninewa", now=now())
        session.execute(text("UPDATE record SET version = 9 WHERE number = 2"))
    assert jisr(ninewa, "verify").exit_code == 1
    repaired = jisr(ninewa, "verify", "--repair", "--json")
    assert repaired.exit_code == 0
    assert json.loads(repaired.stdout)[0]["repaired"] == 1
    assert jisr(ninewa, "verify").exit_code == 0
    with database.read() as session:
        assert session.execute(text("SELECT action, subject FROM audit_entry")).one() == ("repair_records", "ninewa")
    database.close()


def test_what_was_put_aside_is_handled_from_the_command_line(ninewa: Node, tmp_path: Path) -> None:
    database = Database(ninewa.settings.database_url_of("sync"), service="sync")
    origin = Origin("directorate-erbil")
    origin.add(fact(type="marvel.seen.v1"), fact(type="marvel.seen.v1"))
    Taker(database, "directorate-erbil").take(origin.batch(0, 2), refused=[Refused("why", b"\0\0\0\2{}", False)])
    database.close()
    assert "1 messages of jisr.up.directorate-erbil in quarantine" in jisr(ninewa, "status").stdout

    listed = jisr(ninewa, "quarantine", "list", "--json")
    assert (listed.exit_code, json.loads(listed.stdout)[0]["reason"]) == (1, "why")
    saved = tmp_path / "message"
    assert jisr(ninewa, "quarantine", "show", "1", "--save", str(saved)).exit_code == 0
    assert saved.read_bytes() == b"\0\0\0\2{}"
    assert jisr(ninewa, "quarantine", "show", "1", "--save", str(saved)).exit_code == 2
    assert jisr(ninewa, "quarantine", "discard", "--reason", "no").exit_code == 2
    assert jisr(ninewa, "quarantine", "discard", "1", "--reason", "looked at").exit_code == 0
    assert jisr(ninewa, "quarantine", "list").exit_code == 0

    parked = jisr(ninewa, "parked", "list", "--json")
    assert (parked.exit_code, [each["number"] for each in json.loads(parked.stdout)]) == (1, [1, 2])
    tried = jisr(ninewa, "parked", "retry", "directorate-erbil", "--json")
    assert (tried.exit_code, json.loads(tried.stdout)["folded"]) == (1, 0)
    assert jisr(ninewa, "parked", "skip", "directorate-erbil", "1", "2", "--reason", "never").exit_code == 0
    assert jisr(ninewa, "parked", "list").exit_code == 0


def test_directorates_compare_on_demand_and_a_silent_one_is_said_to_be_silent(ninewa: Node, country: Country) -> None:
    nobody = jisr(ninewa, "witness")
    assert (nobody.exit_code, "only directorates" in nobody.stderr) == (2, True)
    erbil = country.nodes["directorate-erbil"]
    erbil.migrate()
    silent = jisr(erbil, "witness", "--wait", "0", "--json")
    assert (silent.exit_code, json.loads(silent.stdout)) == (3, [])
    assert "no answer yet from directorate-baghdad" in silent.stderr
    database = Database(erbil.settings.database_url_of("sync"), service="sync")
    with database.write() as session:
        session.add(Witnessed(witness="directorate-baghdad", origin="anbar", epoch=1, agreed=4, differs_at=5, at=now()))
        session.execute(text("UPDATE witness_round SET asks = 0"))
    database.close()
    assert jisr(erbil, "witness", "--wait", "0").exit_code == 1
    assert "told another story by anbar from number 5 on" in jisr(erbil, "status").stdout


def test_a_queue_that_does_not_exist_is_refused_naming_those_that_do(ninewa: Node) -> None:
    refused = jisr(ninewa, "dead", "list", "letters")
    assert (refused.exit_code, "notify.facts" in refused.stderr) == (2, True)


def test_what_a_directorates_broker_gave_up_on_is_listed_and_needs_no_replay(country: Country) -> None:
    baghdad = country.add("directorate-baghdad")
    with baghdad.vhost.channel() as channel:
        channel.queue_declare("jisr.dead", durable=True)
        channel.basic_publish("", "jisr.dead", b"a batch")
    listed = jisr(baghdad, "dead", "list", "--json")
    assert listed.exit_code == 1
    assert [(letter["queue"], letter["bytes"]) for letter in json.loads(listed.stdout)] == [("jisr", 7)]
    assert jisr(baghdad, "dead", "replay", "jisr").exit_code == 2


def test_a_broker_that_is_away_has_an_exit_code_of_its_own(ninewa: Node) -> None:
    ninewa.change(broker_url="amqp://nobody:nothing@127.0.0.1:1/none")
    assert jisr(ninewa, "dead", "list").exit_code == 3
    found = jisr(ninewa, "status", "--json")
    assert found.exit_code == 1
    status = json.loads(found.stdout)
    assert status["dead_letters"] is None
    assert "the broker cannot be reached" in status["needs_attention"]


def test_a_whole_node_runs_recovers_a_killed_process_and_leaves_nothing_running(ninewa: Node) -> None:
    ninewa.start("all")
    status = json.loads(jisr(ninewa, "status", "--json").stdout)
    assert all(each["ready"] for each in status["processes"])
    assert not any("not ready" in each for each in status["needs_attention"])

    supervisor = psutil.Process(ninewa.processes["all"].pid)
    children = supervisor.children(recursive=True)
    engine = next(child for child in children if "engine" in child.cmdline())
    engine.kill()
    wait.until(lambda: not ninewa.ready("engine"), seconds=60, what="the engine is gone")
    wait.until(lambda: ninewa.ready("engine"), seconds=60, what="the engine runs again")

    everything = [supervisor, *supervisor.children(recursive=True)]
    ninewa.processes["all"].send_signal(signal.SIGTERM)
    ninewa.wait_ended("all")
    wait.until(lambda: not any(one.is_running() for one in everything), what="nothing is left running")


def test_children_die_with_a_killed_supervisor(ninewa: Node) -> None:
    ninewa.start("all")
    supervisor = psutil.Process(ninewa.processes["all"].pid)
    children = supervisor.children(recursive=True)
    assert len(children) >= 3
    os.kill(supervisor.pid, signal.SIGKILL)
    ninewa.wait_ended("all")
    wait.until(
        lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children),
        seconds=60,
        what="the children are gone",
    )
