"""A service made of nothing but the kernel's extensions, run as a process: `python -m tests.services.kernel.toy FILE`.

It borrows the name and the database of `forum`, whose migrations include the kernel's tables.
"""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
from typing import Any, ClassVar  # noqa: E402

from marshmallow import fields  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402

from kernel import inbox, log  # noqa: E402
from kernel.disk import Work  # noqa: E402
from kernel.errors import BadInput, Unavailable  # noqa: E402
from kernel.extensions import (  # noqa: E402
    Call,
    Database,
    Metrics,
    container_config,
    door,
    every,
    subscription,
)
from kernel.fact import Fact  # noqa: E402
from kernel.schema import Strict, Text, c1  # noqa: E402
from kernel.settings import load  # noqa: E402


class Note(Strict):
    title = c1(Text(max=20, required=True))


class NoteView(Strict):
    title = c1(Text(max=20))
    count = c1(fields.Integer())


class Toy:
    name = "forum"
    work = Work("notes", None)

    database = Database()
    metrics = Metrics()
    made: ClassVar[list[str]] = []
    handled: ClassVar[list[str]] = []
    tries: ClassVar[list[int]] = []

    @door(Note, view=NoteView, roles=["writer"])
    def make(self, call: Call) -> dict[str, Any]:
        self.made.append(call.values["title"])
        return {"title": call.values["title"], "count": len(self.made)}

    @door(Note, view=NoteView, roles=["writer"])
    def fail(self, call: Call) -> dict[str, Any]:
        inbox.first_time(call.session, "toy", "left-behind")
        raise RuntimeError(f"secret of {call.values['title']}")

    @door(Strict, view=NoteView, roles=["writer"], reads=True)
    def look(self, call: Call) -> dict[str, Any]:
        left = call.session.get(inbox.InboxEntry, ("toy", "left-behind"))
        return {"title": "left behind" if left else "nothing", "count": len(self.handled)}

    @subscription("notify.facts", exchange="facts", keys=["case"])
    def on_fact(self, call: Call, fact: Fact) -> None:
        wish = fact.statistical_values()["wish"]
        if wish == "fail always":
            raise BadInput("cannot be handled")
        if wish == "fail twice":
            self.tries.append(1)
            if len(self.tries) < 3:
                raise Unavailable("not yet")
        if inbox.first_time(call.session, "toy", fact.id):
            self.handled.append(fact.id)

    @every(seconds=0.2)
    def tick(self) -> None:
        raise RuntimeError("a timer that fails is called again")


if __name__ == "__main__":
    settings = load(sys.argv[1])
    log.configure("info")
    container = ServiceContainer(Toy, container_config(settings, Toy.name))
    container.start()
    container.wait()
