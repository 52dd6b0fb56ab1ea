"""The people: one thread a node, who open and triage cases, and in Baghdad issue directives, through the gateway.

A request without an answer, or with a 5xx, is sent again with the same Idempotency-Key, or abandoned, as chance has it.
"""

import itertools
import random
import threading
from typing import Any

import requests

from contracts.gazetteer import districts
from tests.faults.country import PASSWORD, Country
from tests.faults.ledger import Ledger, Word, Write
from tests.kit.small_country import BAGHDAD

TIMEOUT = (2.0, 20.0)  # a gateway answers within 17 s even when its service does not
RETRIED = 0.7
MOST_TRIES = 6
NO_TO_ALL = dict.fromkeys(("force", "threat", "injury", "weapon", "child", "money_taken", "images_misused"), "no")
# Of the second two a statistical link shows nothing but that there is an entry.
CATEGORIES = ("neighbour_dispute", "family_dispute", "property_dispute", "domestic_abuse", "sexual_violence")
TRIAGE = {"risk": "medium", "conflict_checked": True, "scope_checked": True}
OK, TOO_MANY, FAILED = 300, 429, 500
UNKNOWN = 401


class Person:
    """One account at one node. Logs in when it must."""

    def __init__(self, address: str, login: str) -> None:
        self._address, self._login = f"{address}/api/v1", login
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, path: str, body: Any, key: str) -> tuple[int, dict[str, Any]]:
        """Status and answer; status 0 when there was none."""
        if "Authorization" not in self._session.headers:
            status, answer = self._ask("/login", {"login": self._login, "password": PASSWORD}, {})
            if status >= OK or not status:
                return (status if status >= FAILED else 0), answer
            self._session.headers["Authorization"] = f"Bearer {answer['token']}"
        status, answer = self._ask(path, body, {"Idempotency-Key": key})
        if status == UNKNOWN:  # it has expired, by this node's clock; nothing was done
            del self._session.headers["Authorization"]
        return status, answer

    def _ask(self, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        try:
            with self._session.post(f"{self._address}{path}", json=body, headers=headers, timeout=TIMEOUT) as answer:
                return answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            return 0, {}

    def close(self) -> None:
        self._session.close()


class Driver(threading.Thread):
    """Writes at one node until it is told to stop; what it does is the seed's, how far it comes is not."""

    def __init__(self, country: Country, node: str, ledger: Ledger, seed: str, pause: float) -> None:
        super().__init__(name=f"driver of {node}", daemon=True)
        self._node, self._ledger, self._pause, self._seed = node, ledger, pause, seed
        self._dice = random.Random(f"{seed}:{node}")
        address = f"http://127.0.0.1:{country[node].ports['gateway']}"
        self._people = {login: Person(address, login) for login in ("intake", "supervisor", "author")}
        self._stopping = threading.Event()
        self._may_write = threading.Event()
        self._may_write.set()
        self._idle = threading.Event()
        self._numbers = itertools.count(1)
        self._districts = [each.slug for each in districts(node)]

    def run(self) -> None:
        while not self._stopping.is_set():
            if not self._may_write.is_set():
                self._idle.set()
                self._may_write.wait(0.1)
                continue
            if self._node == BAGHDAD:
                self._issue()
            elif self._dice.random() < 0.7:
                self._open()
            else:
                self._triage()
            self._stopping.wait(self._dice.uniform(0.5, 1.5) * self._pause)

    def pause(self) -> None:
        """Finish what is under way, and write nothing until `go_on`."""
        self._idle.clear()
        self._may_write.clear()
        self._idle.wait(60)

    def go_on(self) -> None:
        self._may_write.set()

    def stop(self) -> None:
        """Finish what is under way."""
        self._stopping.set()
        self.join(60)
        for person in self._people.values():
            person.close()

    def _open(self) -> None:
        write = self._new("opened")
        body = {
            "answers": NO_TO_ALL,
            "category": self._dice.choice(CATEGORIES),
            "channel": "walk_in",
            "district": self._dice.choice(self._districts),
            "narrative": "An invented account.",
        }
        self._send(write, "intake", "/cases", body)

    def _triage(self) -> None:
        known = [each.subject for each in self._ledger.of(self._node, "opened", Word.ACCEPTED)]
        tried = {each.subject for each in self._ledger.of(self._node, "triaged")}
        free = [subject for subject in known[-20:] if subject not in tried]
        if not free:
            return
        write = self._new("triaged")
        write.subject = self._dice.choice(free)
        self._send(write, "supervisor", f"/cases/{write.subject}/triage", TRIAGE)

    def _issue(self) -> None:
        wording = {"ar": "توجيه", "ckb": "ڕێنمایی", "en": "Directive"}
        self._send(self._new("directive"), "author", "/directives", {"title": wording, "text": wording})

    def _new(self, what: str) -> Write:
        return Write(f"{self._seed}:{self._node}:{next(self._numbers)}", self._node, what)

    def _send(self, write: Write, login: str, path: str, body: Any) -> None:
        patient = self._dice.random() < RETRIED
        self._ledger.note(write)
        while True:
            status, answer = self._people[login].post(path, body, write.key)
            write.tries += 1
            write.status, write.code = status, str(answer.get("code", ""))
            if 0 < status < OK:
                write.word, write.subject = Word.ACCEPTED, answer["id"]
            elif OK <= status < FAILED and status not in (UNKNOWN, TOO_MANY) and write.tries == 1:
                write.word = Word.REFUSED
            self._ledger.note(write)
            settled = write.word is not Word.UNCERTAIN or not patient or write.tries >= MOST_TRIES
            if settled or self._stopping.wait(self._dice.uniform(0.2, 0.6)):
                return
