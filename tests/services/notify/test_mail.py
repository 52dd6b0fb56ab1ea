"""Conversations with a real mail server: accepting, refusing, slow, gone."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.notify import LANGUAGES
from deploy.ports import free_port
from services.notify.mail import Conversation, MailServer
from services.notify.model import Cause, Outcome, Parcel
from services.notify.rules import RULES
from tests.services.notify.mail_host import Behaviour, MailHost, certificate, mail_host, said


@pytest.fixture
def host() -> Iterator[MailHost]:
    with mail_host() as running:
        yield running


def parcel(**changes: Any) -> Parcel:
    usual: dict[str, Any] = {
        "delivery_id": "d",
        "attempt": 1,
        "message_id": "<d@ninewa.jisr>",
        "address": "officer@ninewa.test",
        "language": "ar",
        "rule": "case_assigned",
        "reference": "NI-2026-000123-L",
        "created_at": datetime(2026, 2, 1, 12, tzinfo=UTC),
    }
    return Parcel(**{**usual, **changes})


def send(server: MailServer, *parcels: Parcel) -> list[Outcome]:
    with Conversation(server) as conversation:
        return [conversation.send(each) for each in parcels]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", [rule.name for rule in RULES])
def test_every_text_arrives_readable_in_every_language(host: MailHost, rule: str, language: str) -> None:
    assert send(host.server(), parcel(rule=rule, language=language)) == [Outcome()]
    (message,) = host.messages
    assert message["Message-ID"] == "<d@ninewa.jisr>"
    assert message["To"] == "officer@ninewa.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "NI-2026-000123-L" in said(message)
    assert "NI-2026-000123-L" not in message["Subject"], "a subject shows on a locked screen"
    assert host.envelopes == [("jisr@ninewa.test", ["officer@ninewa.test"])]


def test_several_e_mails_go_in_one_conversation_and_one_refusal_does_not_stop_the_next(host: MailHost) -> None:
    host.behaviour = Behaviour(refused={"left@ninewa.test"})
    outcomes = send(host.server(), parcel(), parcel(address="left@ninewa.test"), parcel())
    assert outcomes == [Outcome(), Outcome(Cause.REFUSED_RECIPIENT, 550), Outcome()]
    assert len(host.messages) == 2


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Behaviour(to_recipient="450 Try later"), Outcome(Cause.REFUSED_RECIPIENT, 450)),
        (Behaviour(to_recipient="550 No such mailbox"), Outcome(Cause.REFUSED_RECIPIENT, 550)),
        (Behaviour(to_recipient="421 Closing"), Outcome(Cause.UNREACHABLE, 421)),
        (Behaviour(to_data="451 Try later"), Outcome(Cause.REFUSED_MESSAGE, 451)),
        (Behaviour(to_data="554 Rejected as spam"), Outcome(Cause.REFUSED_MESSAGE, 554)),
    ],
)
def test_a_refusal_is_known_by_its_step_and_its_reply(host: MailHost, behaviour: Behaviour, outcome: Outcome) -> None:
    host.behaviour = behaviour
    assert send(host.server(), parcel()) == [outcome]


def test_a_line_that_dies_after_the_message_was_given_leaves_it_unconfirmed(host: MailHost) -> None:
    host.behaviour = Behaviour(hangs_up=True)
    assert send(host.server(), parcel()) == [Outcome(Cause.UNCONFIRMED)]
    assert len(host.messages) == 1, "it may have gone out"


def test_a_server_too_slow_to_answer_for_the_message_leaves_it_unconfirmed(host: MailHost) -> None:
    host.behaviour = Behaviour(seconds=30)
    assert send(host.server(step_seconds=0.3), parcel()) == [Outcome(Cause.UNCONFIRMED)]


def test_after_a_broken_line_the_next_e_mail_goes_on_a_new_one(host: MailHost) -> None:
    with Conversation(host.server()) as conversation:
        host.behaviour = Behaviour(hangs_up=True)
        assert conversation.send(parcel()) == Outcome(Cause.UNCONFIRMED)
        host.behaviour = Behaviour()
        assert conversation.send(parcel()) == Outcome()


def test_a_server_that_is_not_there_is_unreachable() -> None:
    nobody = MailServer("127.0.0.1", free_port(), "jisr@ninewa.test", starttls=False)
    assert send(nobody, parcel()) == [Outcome(Cause.UNREACHABLE)]


def test_a_server_without_a_name_is_unreachable() -> None:
    nobody = MailServer("mail.invalid", 25, "jisr@ninewa.test", starttls=False)
    assert send(nobody, parcel()) == [Outcome(Cause.UNREACHABLE)]


def test_a_server_that_never_greets_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        server = MailServer("127.0.0.1", port, "jisr@ninewa.test", starttls=False, step_seconds=0.2)
        assert send(server, parcel()) == [Outcome(Cause.TIMED_OUT)]


def test_nothing_is_sent_in_the_clear_to_a_server_that_should_speak_tls(host: MailHost) -> None:
    assert send(host.server(starttls=True), parcel()) == [Outcome(Cause.INSECURE)]
    assert host.messages == []


def test_tls_is_spoken_with_a_server_that_proves_its_name_and_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with mail_host(tls=context) as host:
        assert send(host.server(starttls=True), parcel()) == [Outcome(Cause.INSECURE)]
        assert host.messages == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))  # now this machine trusts it
        assert send(host.server(starttls=True), parcel()) == [Outcome()]
        assert send(host.server(), parcel()) == [Outcome(Cause.REFUSED_SENDER, 530)]


def test_a_password_opens_the_server_and_a_wrong_one_is_reported_as_such() -> None:
    with mail_host(password="right") as host:
        wrong, right = (host.server(user="jisr", password=password) for password in ("wrong", "right"))
        assert send(wrong, parcel()) == [Outcome(Cause.REFUSED_LOGIN, 535)]
        assert send(right, parcel()) == [Outcome()]


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b@c", "ضابط@ninewa.test", "a@ninewa.test\r\nBcc: all@ninewa.test", "a@ninewa.test, b@x.test"],
)
def test_what_is_not_one_address_is_refused_and_not_tried(host: MailHost, address: str) -> None:
    (outcome,) = send(host.server(), parcel(address=address))
    assert outcome.permanent
    assert host.messages == []
