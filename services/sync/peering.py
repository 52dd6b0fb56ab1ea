"""The other side of a link, as the engine keeps it: one line, and what goes over it in either direction."""

from services.sync.line import Line
from services.sync.receivers import Receiver
from services.sync.senders import Sender


class Peer:
    """A node that this one sends to, receives from, or both; tells either of what happens to their line."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.line: Line | None = None
        self.sender: Sender | None = None
        self.receiver: Receiver | None = None

    def on_ready(self) -> None:
        if self.sender is not None:
            self.sender.on_ready()
        if self.receiver is not None:
            self.receiver.say_held()

    def on_gone(self, reason: str, unauthorised: bool) -> None:
        if self.sender is not None:
            self.sender.on_gone(reason, unauthorised)
        if self.receiver is not None:
            self.receiver.on_gone()

    def on_blocked(self, blocked: bool) -> None:
        if self.sender is not None:
            self.sender.on_blocked(blocked)
