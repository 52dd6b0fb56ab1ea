"""Operations of the notify service: the inbox, directives, and e-mail for operators."""

from contracts import notify as contract
from contracts.roles import DIRECTIVES, NOTIFIED, OPERATIONS, Role
from services.gateway.routes import DIRECTORATE, GOVERNORATE, act, blueprint, get, make

ACKNOWLEDGING = frozenset[Role](contract.ACKNOWLEDGING)

routes = (
    get("/notifications", "list_notifications", contract.NotificationQuery, contract.NotificationPage, NOTIFIED,
        "Your inbox, newest first"),
    act("/notifications/<notification_id>/read", "read_notification", contract.ReadNotification,
        contract.NotificationView, NOTIFIED, "Mark one as read"),
    make("/directives", "issue_directive", contract.IssueDirective, contract.DirectiveView, DIRECTIVES,
         "Issue a directive to the governorates", at=DIRECTORATE),
    get("/directives", "list_directives", contract.DirectiveQuery, contract.DirectivePage, NOTIFIED,
        "Directives, newest first"),
    act("/directives/<directive_id>/acknowledge", "acknowledge_directive", contract.AcknowledgeDirective,
        contract.DirectiveView, ACKNOWLEDGING, "Say that this governorate has it, in one of your roles",
        at=GOVERNORATE),
    get("/deliveries", "list_deliveries", contract.DeliveryQuery, contract.DeliveryPage, OPERATIONS,
        "E-mails by state, without address"),
    act("/deliveries/<delivery_id>/replay", "replay_delivery", contract.ReplayDelivery, contract.DeliveryView,
        OPERATIONS, "Send a dead one again"),
)
operations = blueprint("notify", "What you should know: your inbox, and directives.", routes)
