"""One frozen `Settings` per process, read once from a TOML file and the environment, checked before anything starts.

The file is named by `--settings` or `JISR_SETTINGS`. A key `log_level` may be overridden by `JISR_LOG_LEVEL`, a nested
one by `JISR_PORTS__GATEWAY`; `home` comes from the file only. Relative paths are relative to the file. A secret stands
in a file of its own (`broker_url_file`, `database_url_file`, `password_file`) or in the settings file, never in argv.
"""

import os
import tomllib
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from kernel.errors import SettingsError
from kernel.tls import Tls

SLUG = r"^[a-z][a-z0-9-]{1,62}$"
PORTS = {"gateway": 8080, "forum": 8101, "case": 8102, "notify": 8103, "sync": 8104, "engine": 8105}


def _has_length(window: str) -> str:
    begins, _, ends = window.partition("-")
    if begins == ends:
        raise ValueError(f"{window} ends when it begins; the whole day is 00:00-24:00")
    return window


# From when to when a link may send, by the clocks of Baghdad; over midnight where it ends before it begins.
Window = Annotated[
    str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"), AfterValidator(_has_length)
]
LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ports(_Part):
    """TCP ports on `host`; `engine` serves metrics and health only."""

    gateway: int = Field(PORTS["gateway"], ge=1, le=65535)
    forum: int = Field(PORTS["forum"], ge=1, le=65535)
    case: int = Field(PORTS["case"], ge=1, le=65535)
    notify: int = Field(PORTS["notify"], ge=1, le=65535)
    sync: int = Field(PORTS["sync"], ge=1, le=65535)
    engine: int = Field(PORTS["engine"], ge=1, le=65535)


class LinkSettings(_Part):
    """How this node reaches the broker of the link's other side. With an `amqps` address: mutual TLS.

    The three files are those in `{home}/links/<destination>` if not given; `jisr enrol` puts them there.
    """

    broker_url: str | None = Field(None, repr=False)
    broker_url_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    rate_bytes_per_second: int | None = Field(None, ge=1024)
    windows: tuple[Window, ...] | None = None

    @property
    def secured(self) -> bool:
        """Whether the address asks for TLS."""
        return urlsplit(self.broker_url or "").scheme == "amqps"

    @model_validator(mode="after")
    def _files_are_for_tls(self) -> Self:
        if (self.ca_file or self.certificate_file or self.key_file) and not self.secured:
            raise ValueError("ca_file, certificate_file and key_file are for an amqps:// broker_url")
        return self


class BrokerAdmin(_Part):
    """RabbitMQ's management interface, where a directorate's tools make and delete the users of its own broker."""

    url: str | None = Field(None, repr=False)
    url_file: Path | None = None
    ca_file: Path | None = None


class Smtp(_Part):
    """Where e-mail is handed over; without `host` no e-mail is sent and the inbox is the only channel."""

    host: str | None = None
    port: int = Field(25, ge=1, le=65535)
    sender: str = "jisr@localhost"
    user: str | None = None
    password_file: Path | None = None
    starttls: bool = False
    timeout_seconds: float = Field(10.0, gt=0, le=60)


class Replication(_Part):
    """How the sync engine times its work; the defaults are those of the protocol."""

    hello_seconds: float = Field(30.0, gt=0)
    held_coalesce_seconds: float = Field(0.2, ge=0)
    no_progress_seconds: float = Field(60.0, gt=0)
    backoff_first_seconds: float = Field(1.0, gt=0)
    backoff_max_seconds: float = Field(300.0, gt=0)
    window_bytes: int = Field(2 * 1024 * 1024, ge=64 * 1024)
    stale_seconds: float = Field(90.0, gt=0)
    witness_seconds: float = Field(86400.0, gt=0)
    relay_after_seconds: float = Field(300.0, ge=0)


class DiskSettings(_Part):
    """Below how much room what stops; see `contracts/work.py`. `also`: places beside the home, such as PostgreSQL's."""

    low_bytes: int = Field(2 * 1024**3, ge=0)  # some two weeks of a busy governorate, while somebody comes
    scarce_bytes: int = Field(1024**3, ge=0)
    short_bytes: int = Field(512 * 1024**2, ge=0)
    last_bytes: int = Field(128 * 1024**2, ge=0)
    reserve_bytes: int = Field(64 * 1024**2, ge=0)  # some 10,000 cases with everything that belongs to them
    also: tuple[Path, ...] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low_bytes >= self.scarce_bytes >= self.short_bytes >= self.last_bytes:
            raise ValueError("low_bytes, scarce_bytes, short_bytes and last_bytes must not grow in this order")
        return self


class Settings(BaseSettings):
    """Everything a process of one node may be told."""

    model_config = SettingsConfigDict(
        env_prefix="JISR_", env_nested_delimiter="__", frozen=True, extra="forbid", toml_file=None
    )

    node: str = Field(pattern=SLUG, description="this node's id in the topology")
    home: Path = Field(description="the directory of this node's databases, keys and locks")
    topology: Path = Field(description="the file that names every node, its home directorate and its links")
    rules: Path | None = Field(None, description="the file of this node's deadlines and thresholds")
    host: str = Field("127.0.0.1", description="the address that the node's HTTP doors listen on")
    gateway_host: str | None = Field(None, description="the address that the gateway listens on, if another")
    trusted_proxy: str | None = Field(None, description="a reverse proxy whose X-Forwarded headers are believed")
    metrics_from: tuple[IPvAnyNetwork, ...] = Field(
        LOOPBACK, description="the networks from which the gateway's /metrics may be read"
    )
    database_url: str = Field("sqlite:///{home}/{service}.db", repr=False, description="with {service}, and {home}")
    database_url_file: Path | None = None
    broker_url: str | None = Field(None, repr=False, description="the node's own RabbitMQ: amqp://…")
    broker_url_file: Path | None = None
    keys: Path | None = Field(None, description="directory of this node's keys; {home}/keys if not given")
    peer_keys: Path | None = Field(
        None, description="directory of <node>.pub and <node>.seal.pub files; {home}/peers if not given"
    )
    ports: Ports = Ports()
    urls: dict[str, str] = Field(default_factory=dict, description="where the gateway finds a service, if elsewhere")
    links: dict[str, LinkSettings] = Field(default_factory=dict)
    broker_admin: BrokerAdmin = BrokerAdmin()
    smtp: Smtp = Smtp()
    replication: Replication = Replication()
    disk: DiskSettings = DiskSettings()
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "{service}" not in self.database_url:
            raise ValueError("database_url must contain {service}: each service owns its database")
        if not self.broker_url:
            raise ValueError("broker_url or broker_url_file must be given")
        return self

    def database_url_of(self, service: str) -> str:
        """The URL of one service's database."""
        return self.database_url.format(home=self.home, service=service)

    def port_of(self, process: str) -> int:
        """The port that a process listens on."""
        port: int = getattr(self.ports, process)
        return port

    def url_of(self, service: str) -> str:
        """Where the gateway finds a service's doors."""
        return self.urls.get(service, f"http://{self.host}:{self.port_of(service)}").rstrip("/")

    @property
    def keys_directory(self) -> Path:
        """Where this node's own keys are: node.key, gateway.key, hash.key, seal.key and the public halves."""
        return self.keys or self.home / "keys"

    @property
    def peer_keys_directory(self) -> Path:
        """Where the public keys of other nodes are: `<node>.pub` to believe them, `<node>.seal.pub` to seal to them."""
        return self.peer_keys or self.home / "peers"

    def tls_of(self, destination: str) -> Tls | None:
        """The files for the link to `destination` if its address asks for TLS."""
        link = self.links.get(destination)
        if link is None or not link.secured:
            return None
        found = self.link_files(destination)
        return Tls(link.ca_file or found.ca, link.certificate_file or found.certificate, link.key_file or found.key)

    def link_files(self, destination: str) -> Tls:
        """Where `jisr enrol` keeps what belongs to the link to `destination`."""
        directory = self.home / "links" / destination
        return Tls(directory / "ca.pem", directory / "certificate.pem", directory / "link.key")

    @property
    def ca_directory(self) -> Path:
        """Where `jisr ca` keeps this node's certificate authority."""
        return self.home / "ca"

    @property
    def broker(self) -> str:
        """The address of the node's own broker."""
        return self.broker_url or ""  # never empty: checked when the settings were made


class _Environment(EnvSettingsSource):
    """The environment without `JISR_HOME`: that variable names the demo's directory, not a node's."""

    def __call__(self) -> dict[str, Any]:
        return {key: value for key, value in super().__call__().items() if key != "home"}


def load(path: Path | str | None = None) -> Settings:
    """The settings of this process. Raises `SettingsError` naming the file and the key."""
    chosen = path or os.environ.get("JISR_SETTINGS")
    if not chosen:
        raise SettingsError("No settings: name the file with --settings FILE or JISR_SETTINGS=FILE.")
    file = Path(chosen).resolve()
    values = _resolved({**_read_toml(file), **_secret_files()}, file)

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return _Environment(settings_cls), init_settings

    try:
        return FromFile(**values)
    except ValidationError as error:
        problems = [f"`{_key(problem['loc'])}`: {problem['msg']}" for problem in error.errors(include_input=False)]
        raise SettingsError(f"Settings file {file}: {'; '.join(problems)}.") from error


def _secret_files() -> dict[str, Path]:
    """Files of secrets that the environment names, relative to the working directory."""
    names = ("broker_url_file", "database_url_file")
    return {name: Path(value).resolve() for name in names if (value := os.environ.get(f"JISR_{name.upper()}"))}


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "(the whole file)"


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from error


def _resolved(values: dict[str, Any], file: Path) -> dict[str, Any]:
    """Paths relative to the file; secrets taken from the files that hold them."""
    for key in ("home", "topology", "rules", "keys", "peer_keys", "broker_url_file", "database_url_file"):
        if isinstance(values.get(key), str):
            values[key] = file.parent / values[key]
    for key in ("broker_url", "database_url"):
        _take_secret(values, key, file)
    links = values.get("links")
    for name, link in links.items() if isinstance(links, dict) else ():
        if isinstance(link, dict):
            for key in ("broker_url_file", "ca_file", "certificate_file", "key_file"):
                if isinstance(link.get(key), str):
                    link[key] = file.parent / link[key]
            _take_secret(link, "broker_url", file, prefix=f"links.{name}.")
    admin = values.get("broker_admin")
    if isinstance(admin, dict):
        for key in ("url_file", "ca_file"):
            if isinstance(admin.get(key), str):
                admin[key] = file.parent / admin[key]
        _take_secret(admin, "url", file, prefix="broker_admin.")
    disk = values.get("disk")
    if isinstance(disk, dict) and isinstance(disk.get("also"), list):
        disk["also"] = [file.parent / place if isinstance(place, str) else place for place in disk["also"]]
    smtp = values.get("smtp")
    if isinstance(smtp, dict) and isinstance(smtp.get("password_file"), str):
        smtp["password_file"] = file.parent / smtp["password_file"]
    return values


def _take_secret(values: dict[str, Any], key: str, file: Path, *, prefix: str = "") -> None:
    source = values.get(f"{key}_file")
    if source is None:
        return
    if key in values:
        raise SettingsError(f"Settings file {file}: give `{prefix}{key}` or `{prefix}{key}_file`, not both.")
    try:
        values[key] = Path(source).read_text("utf-8").strip()
    except (OSError, TypeError, UnicodeDecodeError) as error:
        raise SettingsError(f"Settings file {file}: `{prefix}{key}_file` {source} cannot be read.") from error
