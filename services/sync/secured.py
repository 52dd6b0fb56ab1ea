"""What the engine does for secure links beside carrying them: it says until when certificates are valid, and at a
directorate it makes the users of admitted nodes again whenever its broker comes up, and deletes those of revoked ones,
because a broker may have lost its data. Both are repeated and harmless to repeat."""

from collections.abc import Callable
from typing import Any

from kernel import metrics
from kernel.broker import parameters
from kernel.broker_admin import BrokerAdmin, Rights
from kernel.database import Database
from kernel.errors import SettingsError
from kernel.log import get_logger
from kernel.settings import Settings
from services.sync import peers
from services.sync.lanes import Lane
from services.sync.line import Route
from services.sync.receivers import Timers

log = get_logger("secured")

MEASURE_SECONDS = 60.0
RETRY_SECONDS = 30.0


def rights_of(settings: Settings, node: str) -> Rights:
    """What a governorate may do at this directorate's broker."""
    route = Route.of_governorate(node)
    vhost: str = parameters(settings.broker).virtual_host
    return Rights(vhost, route.exchange, route.key, route.queue)


def broker_admin(settings: Settings) -> BrokerAdmin | None:
    """The administration of this node's own broker, if the settings say where it is."""
    admin = settings.broker_admin
    return BrokerAdmin(admin.url, admin.ca_file) if admin.url else None


class Secured:
    """`start` begins to measure; `on_broker` is to be called when the node's own broker was reached."""

    def __init__(self, settings: Settings, database: Database, lane: Lane, timers: Timers) -> None:
        self._settings = settings
        self._database = database
        self._lane = lane
        self._timers = timers
        self._admin = broker_admin(settings)
        self._timer: Any = None

    def start(self) -> None:
        """Say until when this node's own certificates are valid, now and every minute."""
        for destination in self._settings.links:
            tls = self._settings.tls_of(destination)
            if tls is not None:
                self._measure(destination, lambda tls=tls: tls.expires_at().timestamp())  # type: ignore[misc]
        self._timers.call_later(MEASURE_SECONDS, self.start)

    def _measure(self, destination: str, expiry: Callable[[], float]) -> None:
        try:
            metrics.LINK_CERTIFICATE_EXPIRY.labels(destination).set(expiry())
        except SettingsError as error:  # no sample: it is not known
            metrics.LINK_CERTIFICATE_EXPIRY.remove(destination)
            log.warning("secured.no_certificate", destination=destination, reason=error.code)

    def on_broker(self) -> None:
        """See that every admitted node has its user, its rights and its limits, and no revoked one has."""
        if self._admin is None:
            return
        if self._timer is not None:
            self._timers.remove_timeout(self._timer)
            self._timer = None
        admin = self._admin
        self._lane.run(lambda: self._let_in(admin), self._let_in_done, self._failed)

    def _let_in(self, admin: BrokerAdmin) -> int:
        """On the lane. A broker that was put back from a backup may also have users that were taken away since."""
        with self._database.read() as session:
            rows = [row for row in peers.listed(session) if row.broker_user]
        admitted = {row.broker_user: row.node for row in rows if row.revoked_at is None}
        for user in {row.broker_user for row in rows} - set(admitted):
            admin.shut_out(user)
        for user, node in admitted.items():
            admin.let_in(user, rights_of(self._settings, node))
        return len(admitted)

    def _let_in_done(self, count: int) -> None:
        log.info("secured.users", count=count)

    def _failed(self, error: Exception) -> None:
        log.failure("secured.waits", error)
        self._timer = self._timers.call_later(RETRY_SECONDS, self.on_broker)
