"""The doors of receipts. The gateway alone asks those of `PUBLIC`, in nobody's name.

None keeps its answer for an Idempotency-Key: all who have no account would share one list of keys. A receipt is its own
key: the same one again is the same report."""

from typing import Any

from contracts import roles
from contracts.case import receipts as contract
from kernel.extensions import Call, door
from services.case import handlers
from services.case.doors.of_node import case_rules, iso
from services.case.tables import Receipt


class ReceiptDoors:
    """What people can do without an account, and how they come to it."""

    database: Any

    @door(contract.KeepReceipt, view=contract.ReceiptKept, roles=roles.RECEIPTS, reads=True)
    def issue_receipt(self, call: Call) -> Receipt:
        with self.database.write() as session:
            return handlers.issue_receipt(session, call.values, by=call.actor, now=call.now)

    @door(contract.KeepReport, view=contract.ReceiptKept, roles={roles.PUBLIC}, reads=True)
    def report(self, call: Call) -> Receipt:
        with self.database.write() as session:
            return handlers.report(
                session, call.values, by=call.actor, now=call.now, iso=iso(call), rules=case_rules(call)
            )

    @door(contract.ByReceipt, view=contract.StateShown, roles={roles.PUBLIC}, reads=True)
    def state_by_receipt(self, call: Call) -> dict[str, Any]:
        return {"state": handlers.state_by_receipt(call.session, call.values)}

    @door(contract.ByReceipt, view=contract.StateShown, roles={roles.PUBLIC}, reads=True)
    def add_by_receipt(self, call: Call) -> dict[str, Any]:
        with self.database.write() as session:
            return {"state": handlers.add_by_receipt(session, call.values, by=call.actor, now=call.now)}

    @door(contract.ByReceipt, view=contract.StateShown, roles={roles.PUBLIC}, reads=True)
    def contest_by_receipt(self, call: Call) -> dict[str, Any]:
        with self.database.write() as session:
            state = handlers.contest_by_receipt(
                session, call.values, by=call.actor, now=call.now, rules=case_rules(call)
            )
        return {"state": state}

    @door(contract.ByReceipt, view=contract.StateShown, roles={roles.PUBLIC}, reads=True)
    def withdraw_by_receipt(self, call: Call) -> dict[str, Any]:
        with self.database.write() as session:
            return {"state": handlers.withdraw_by_receipt(session, call.values, by=call.actor, now=call.now)}
