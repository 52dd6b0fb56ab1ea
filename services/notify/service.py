"""The doors, subscriptions and timers of notify."""

from typing import Any

from contracts import notify as contract
from contracts import roles, rules, topology
from contracts.work import MAIL, NOTICES
from kernel.crypto import load_hash_key
from kernel.disk import disk_of
from kernel.extensions import Call, Database, Metrics, Node, Relay, RpcClient, door, every, subscription
from kernel.fact import Fact
from services.notify import catching_up, outgoing, views
from services.notify.handlers import contacts, deliveries, directives, facts, inbox

ARRIVING = ["directive.#", "acknowledgement.#", "silence.#", "transfer.#", "handler_request.#"]


class NotifyService:
    """Facts to notifications; directives and their acknowledgements; e-mail."""

    name = "notify"
    work = NOTICES
    database = Database()
    relay = Relay()
    metrics = Metrics()
    settings = Node()
    sync = RpcClient("sync")

    @door(contract.PutContact, view=contract.ContactView, roles=roles.ADMIN)
    def put_contact(self, call: Call) -> dict[str, Any]:
        hash_key = load_hash_key(call.settings.keys_directory / "hash.key")
        row = contacts.put_contact(call.session, call.values, by=call.actor, hash_key=hash_key, now=call.now)
        return views.contact(row)

    @door(contract.NotificationQuery, view=contract.NotificationPage, roles=roles.NOTIFIED, reads=True)
    def list_notifications(self, call: Call) -> dict[str, Any]:
        found = inbox.list_notifications(call.session, by=call.actor, **call.values)
        unread = inbox.count_unread(call.session, by=call.actor)
        return views.notification_page(found, unread, call.actor.language)

    @door(contract.ReadNotification, view=contract.NotificationView, roles=roles.NOTIFIED)
    def read_notification(self, call: Call) -> dict[str, Any]:
        row = inbox.read_notification(call.session, by=call.actor, now=call.now, **call.values)
        return views.notification(row, call.actor.language)

    @door(contract.IssueDirective, view=contract.DirectiveView, roles=roles.DIRECTIVES)
    def issue_directive(self, call: Call) -> dict[str, Any]:
        reached = _governorates_of(call)
        row = directives.issue_directive(call.session, call.values, node=call.node, governorates=reached, now=call.now)
        return views.directive(row, [])

    @door(contract.DirectiveQuery, view=contract.DirectivePage, roles=roles.NOTIFIED, reads=True)
    def list_directives(self, call: Call) -> dict[str, Any]:
        found = directives.list_directives(call.session, **call.values)
        return views.directive_page(found, directives.acknowledgements(call.session, found.items))

    @door(contract.AcknowledgeDirective, view=contract.DirectiveView, roles=contract.ACKNOWLEDGING)
    def acknowledge_directive(self, call: Call) -> dict[str, Any]:
        row = directives.acknowledge_directive(call.session, **call.values, by=call.actor, node=call.node, now=call.now)
        return views.directive(row, directives.acknowledgements(call.session, [row])[row.id])

    @door(contract.DeliveryQuery, view=contract.DeliveryPage, roles=roles.OPERATIONS, reads=True)
    def list_deliveries(self, call: Call) -> dict[str, Any]:
        found = deliveries.list_deliveries(call.session, **call.values)
        return views.delivery_page(found, deliveries.rules_of(call.session, found.items))

    @door(contract.ReplayDelivery, view=contract.DeliveryView, roles=roles.OPERATIONS)
    def replay_delivery(self, call: Call) -> dict[str, Any]:
        row = deliveries.replay_delivery(call.session, now=call.now, **call.values)
        return views.delivery(row, deliveries.rules_of(call.session, [row])[row.notification_id])

    @subscription("notify.facts", exchange="facts", keys=["case", "forum"])
    def on_fact(self, call: Call, fact: Fact) -> None:
        mails = call.settings.smtp.host is not None
        policy = rules.load(call.settings.rules).notify
        made = facts.take_fact(call.session, fact, node=call.node, mails=mails, policy=policy, now=call.now)
        self.metrics.NOTIFICATIONS.labels("inbox", "made").inc(len(made))

    @subscription("notify.arrivals", exchange="arrivals", keys=ARRIVING)
    def on_arrival(self, call: Call, fact: Fact) -> None:
        mails = call.settings.smtp.host is not None
        made = facts.take_arrival(call.session, fact, origin=call.source, node=call.node, mails=mails, now=call.now)
        self.metrics.NOTIFICATIONS.labels("inbox", "made").inc(len(made))

    @every(seconds=30)
    def catch_up(self) -> None:
        for stream in catching_up.STREAMS:
            catching_up.catch_up(
                self.database,
                lambda stream, after, limit: self.sync.call("facts_after", stream=stream, after=after, limit=limit),
                stream,
                node=self.settings.node,
                mails=self.settings.smtp.host is not None,
                policy=rules.load(self.settings.rules).notify,
            )

    @every(seconds=5)
    def send_mail(self) -> None:
        server = outgoing.mail_server(self.settings)
        if server is not None and disk_of(self.settings).goes_on(MAIL):
            retries = rules.load(self.settings.rules).notify.mail_retries
            outgoing.send_due(self.database, server, retries=retries)
        with self.database.read() as session:
            self.metrics.NOTIFICATIONS_DEAD.set(deliveries.count_dead(session))


def _governorates_of(call: Call) -> list[str]:
    """The governorates that this node sends to; none when it is one itself."""
    country = topology.load(call.settings.topology)
    if country.node(call.node).kind is topology.NodeKind.GOVERNORATE:
        return []
    return [link.destination for link in country.links_from(call.node)]
