"""A private RabbitMQ broker, run from the system's package, that touches no other broker on the machine.

It has its own node name, cookie, home, data directory, Erlang port mapper (epmd) and ports, all on loopback, and
unless asked for no plugins and no management port. It is used by the demo and by the tests: both need virtual hosts
and users made in milliseconds, where `rabbitmqctl` takes one to two seconds a call, and need no password on a command
line. So a broker has a *console*: an Erlang process beside it that reads expressions from a pipe and has the broker
evaluate them.

    with PrivateRabbitMQ(Path("home")) as broker:
        broker.add_vhost("ninewa", user="ninewa", password=secret)
        url = broker.url("ninewa", user="ninewa", password=secret)

Works unprivileged and as root, with RabbitMQ 3.10 (Debian 12) to 4.x.
"""

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import quote

from deploy import children
from deploy.console import Console
from deploy.ports import free_port

START_SECONDS = 180  # seven on a machine that does nothing else
STOP_SECONDS = 30
ADMIN = "jisr-admin"
_SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/lib/rabbitmq/sbin/rabbitmq-server")
# Schedulers that have nothing to do sleep at once instead of spinning: several brokers share the machine's cores.
_ERLANG = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
_DISK_FREE_LIMIT = 50_000_000  # RabbitMQ's own default, bytes
_MEMORY_HIGH_WATERMARK, _HARDLY_ANY_MEMORY = 0.4, 0.000001
MAX_MESSAGE_SIZE = 16 * 1024 * 1024  # twice what this program sends; RabbitMQ 3 would take 128 MiB
_NEVER_FREE = 2**60  # more bytes than any disk has free


class RabbitMQMissing(RuntimeError):
    """RabbitMQ is not installed: install Debian's or Ubuntu's package `rabbitmq-server`."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def server_program() -> str:
    """The path of the `rabbitmq-server` that any user may run: Debian's wrapper in /usr/sbin insists on one."""
    for candidate in (*_SERVERS, shutil.which("rabbitmq-server") or ""):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise RabbitMQMissing


class PrivateRabbitMQ:
    """One broker below the directory `home`. Data survive `stop` and `kill`, not `delete_data`.

    `plugins` and `configuration`, lines of rabbitmq.conf, are for who needs more than AMQP on loopback.
    """

    def __init__(
        self, home: Path, *, port: int | None = None, plugins: Sequence[str] = (), configuration: Sequence[str] = ()
    ) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self.host = "127.0.0.1"
        self._plugins = tuple(plugins)
        self._more = tuple(configuration)
        self.admin_password = secrets.token_urlsafe(18)
        self.log = self.home / "rabbitmq.log"
        self.data = self.home / "data"
        self._distribution_port = free_port()
        self._epmd_port = free_port()
        self._node = self._node_name()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._console: Console | None = None
        self._vhosts: dict[str, dict[str, str]] = {}
        self._users: dict[str, dict[str, str]] = {}
        self._permissions: dict[tuple[str, str], dict[str, str]] = {}
        self._topic_permissions: dict[tuple[str, str, str], dict[str, str]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the broker and return when it accepts AMQP connections. Harmless when it runs already."""
        if self.running:
            return
        self._write_files()
        if self._epmd is None or self._epmd.poll() is not None:
            self._epmd = children.start(
                ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                log=self.home / "epmd.log",
                environment=self._environment(),
            )
            children.wait_ready(self._epmd, self._epmd_answers, seconds=10, log=self.home / "epmd.log")
        self._server = children.start([server_program()], log=self.log, environment=self._environment(), cwd=self.home)
        children.wait_ready(self._server, self._speaks_amqp, seconds=START_SECONDS, log=self.log)

    def stop(self) -> None:
        """Shut the broker down in order; all its processes have ended when this returns."""
        self._close_console()
        children.stop(self._server, seconds=STOP_SECONDS)
        children.kill(self._epmd)
        self._server = self._epmd = None

    def kill(self) -> None:
        """SIGKILL the broker, as a power cut would.

        Measured on RabbitMQ 3.10: a quorum queue declared within the five seconds before is empty afterwards,
        confirmed messages or not. Nothing of ours may rest on a broker's word.
        """
        self._close_console()
        children.kill(self._server)
        children.kill(self._epmd)
        self._server = self._epmd = None

    def restart(self) -> None:
        """Stop and start: connections are lost, durable queues and persistent messages are kept."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the broker (SIGSTOP): connections stay open and nothing answers, until `unpause`."""
        self._running_server().send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        """Let a paused broker go on."""
        self._running_server().send_signal(signal.SIGCONT)

    def delete_data(self) -> None:
        """Delete the data directory of a stopped broker: queues and messages are gone for good.

        Virtual hosts, users and permissions that were added here come back at the next start.
        """
        if self.running:
            raise children.ProcessFailed("stop or kill the broker before deleting its data")
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the broker's process lives."""
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._running_server().pid

    # -- virtual hosts and users ---------------------------------------------------------------------------

    def add_vhost(self, name: str, *, user: str | None = None, password: str | None = None) -> None:
        """Add a virtual host; `user`, made where needed, may do everything in it. Also before `start`."""
        self.define(
            vhosts=[name],
            users={user: password} if user and password else {},
            permissions=[(user, name, (".*", ".*", ".*"))] if user else [],
        )

    def add_user(self, user: str, password: str, *, tags: str = "") -> None:
        """Add a user who may do nothing yet, or give an existing one a new password."""
        self._users[user] = password_entry(user, password, tags=tags)
        self.define()

    def set_permissions(
        self, user: str, vhost: str, *, configure: str = "^$", write: str = "^$", read: str = "^$"
    ) -> None:
        """Set what `user` may declare, write and read in `vhost`: three regular expressions."""
        self.define(permissions=[(user, vhost, (configure, write, read))])

    def set_topic_permissions(self, user: str, vhost: str, exchange: str, *, write: str) -> None:
        """Set with which routing keys `user` may publish to a topic exchange: a regular expression."""
        self._topic_permissions[user, vhost, exchange] = {
            **{"user": user, "vhost": vhost, "exchange": exchange},
            **{"write": write, "read": ".*"},
        }
        self.define()

    def define(
        self,
        *,
        vhosts: Iterable[str] = (),
        users: Mapping[str, str] | None = None,
        permissions: Iterable[tuple[str, str, tuple[str, str, str]]] = (),
    ) -> None:
        """Add many at once. The administrator may do everything in every virtual host."""
        for vhost in vhosts:
            self._vhosts[vhost] = {"name": vhost}
            self._permissions[ADMIN, vhost] = _permission(ADMIN, vhost, (".*", ".*", ".*"))
        for user, password in (users or {}).items():
            self._users[user] = password_entry(user, password)
        for user, vhost, rights in permissions:
            self._permissions[user, vhost] = _permission(user, vhost, rights)
        if self.running:
            encoded = base64.b64encode(self._definitions_document()).decode()
            self.evaluate(f'ok = rabbit_definitions:import_raw(base64:decode("{encoded}"))')

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with its queues; its connections are closed."""
        self._vhosts.pop(name, None)
        self._permissions = {key: value for key, value in self._permissions.items() if key[1] != name}
        self._topic_permissions = {key: value for key, value in self._topic_permissions.items() if key[1] != name}
        self.evaluate(f"rabbit_vhost:delete({_binary(name)}, {_binary(ADMIN)})")

    def url(self, vhost: str = "/", *, user: str = ADMIN, password: str | None = None, port: int | None = None) -> str:
        """The AMQP URL of a virtual host; the administrator's where no user is named. `port`: that of a proxy."""
        secret = quote(self.admin_password if password is None else password, safe="")
        return f"amqp://{quote(user, safe='')}:{secret}@{self.host}:{port or self.port}/{quote(vhost, safe='')}"

    # -- bad days and looks inside -------------------------------------------------------------------------

    def set_disk_alarm(self, raised: bool = True) -> None:
        """Raise (or clear) the disk alarm: publishers are blocked, consumers are not."""
        self.evaluate(f"rabbit_disk_monitor:set_disk_free_limit({_NEVER_FREE if raised else _DISK_FREE_LIMIT})")

    def set_memory_alarm(self, raised: bool = True) -> None:
        """Raise (or clear) the memory alarm: publishers are blocked, consumers are not."""
        watermark = _HARDLY_ANY_MEMORY if raised else _MEMORY_HIGH_WATERMARK
        self.evaluate(f"vm_memory_monitor:set_vm_memory_high_watermark({watermark:.6f})")

    def alarms(self) -> str:
        """The alarms in force, as Erlang prints them: `[]` when there are none."""
        return self.evaluate("rabbit_alarm:get_alarms()")

    def close_connections(self, reason: str = "closed by the operator") -> None:
        """Close every client connection at the broker."""
        close = f'rabbit_networking:close_connection(P, "{reason}")'
        self.evaluate(f"[{close} || P <- rabbit_networking:connections(), is_pid(P)]")

    def connection_count(self) -> int:
        """How many AMQP connections are open."""
        return int(self.evaluate("length(rabbit_networking:connections())"))

    def queue_lengths(self, vhost: str) -> dict[str, int]:
        """Messages ready per queue, as of now; unacknowledged ones are not counted."""
        ready = "element(2, rabbit_amqqueue:stat(Q))"
        listing = self.evaluate(
            f"[[element(4, amqqueue:get_name(Q)), {ready}] || Q <- rabbit_amqqueue:list({_binary(vhost)})]"
        )
        return _read_pairs(listing)

    def evaluate(self, expression: str) -> str:
        """Have the broker evaluate one Erlang expression, and return its value as Erlang prints it.

        Raises ConsoleError when the expression fails. The expression goes through a pipe, never through a
        command line.
        """
        self._running_server()
        if self._console is None or not self._console.alive:
            self._close_console()
            self._console = Console(self._node, environment=self._environment(), log=self.home / "console.log")
        return self._console.evaluate(expression)

    # -- within --------------------------------------------------------------------------------------------

    def _node_name(self) -> str:
        """The same name whenever this home is used again: a broker's data belong to its node name."""
        known = self.home / "node"
        if not known.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            known.write_text(f"jisr{secrets.token_hex(4)}@localhost")
        return known.read_text()

    def _running_server(self) -> subprocess.Popen[bytes]:
        if self._server is None or self._server.poll() is not None:
            raise children.ProcessFailed(f"the broker in {self.home} does not run")
        return self._server

    def _close_console(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None

    def _write_files(self) -> None:
        for directory in (self.home, self.data, self.home / "logs"):
            directory.mkdir(parents=True, exist_ok=True)
        cookie = self.home / ".erlang.cookie"
        if not cookie.exists():
            _write_private(cookie, secrets.token_hex(20).encode())
        _write_private(self.home / "definitions.json", self._definitions_document())
        _write_private(self.home / "enabled_plugins", f"[{','.join(self._plugins)}].\n".encode())
        _write_private(self.home / "environment.conf", b"")
        _write_private(self.home / "rabbitmq.conf", self._configuration().encode())

    def _configuration(self) -> str:
        return "\n".join(
            [
                f"listeners.tcp.1 = {self.host}:{self.port}",
                f"load_definitions = {self.home / 'definitions.json'}",
                f"disk_free_limit.absolute = {_DISK_FREE_LIMIT}",
                f"vm_memory_high_watermark.relative = {_MEMORY_HIGH_WATERMARK}",
                "log.console = true",
                "log.console.level = warning",
                "log.file = false",
                f"max_message_size = {MAX_MESSAGE_SIZE}",
                *self._more,
                "",
            ]
        )

    def _definitions_document(self) -> bytes:
        admin = password_entry(ADMIN, self.admin_password, tags="administrator")
        default = _permission(ADMIN, "/", (".*", ".*", ".*"))
        return json.dumps(
            {
                "vhosts": [{"name": "/"}, *self._vhosts.values()],
                "users": [admin, *self._users.values()],
                "permissions": [default, *self._permissions.values()],
                "topic_permissions": list(self._topic_permissions.values()),
            }
        ).encode()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_BASE": str(self.home),
            "RABBITMQ_CONF_ENV_FILE": str(self.home / "environment.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.data),
            "RABBITMQ_LOG_BASE": str(self.home / "logs"),
            "RABBITMQ_PID_FILE": str(self.home / "broker.pid"),
            # Without busy waiting: several brokers share the machine with what is tested.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} "
            "+sbwt none +sbwtdcpu none +sbwtdio none",
            # Makes the start script replace itself by the broker, so that the process we know is the broker.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _epmd_answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._epmd_port), timeout=1).close()
        except OSError:
            return False
        return True

    def _speaks_amqp(self) -> bool:
        """Whether the broker answers AMQP's greeting; the port listens a moment before it does."""
        try:
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return len(connection.recv(8)) > 0
        except OSError:
            return False


def password_entry(name: str, password: str, *, tags: str = "") -> dict[str, str]:
    """A user as RabbitMQ definitions hold one: the password salted and hashed."""
    # Salted as RabbitMQ does it: https://www.rabbitmq.com/docs/passwords#computing-password-hash
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags,
    }


def _permission(user: str, vhost: str, rights: tuple[str, str, str]) -> dict[str, str]:
    configure, write, read = rights
    return {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _binary(text: str) -> str:
    """`text` as an Erlang binary, safe whatever it contains."""
    return "<<" + ",".join(str(byte) for byte in text.encode()) + ">>"


def _read_pairs(listing: str) -> dict[str, int]:
    """Read `[[<<"name">>,3],…]` as Erlang prints it. Names are printable ASCII: they are ours."""
    text = listing.replace('<<"', '"').replace('">>', '"')
    return dict(json.loads(text))
