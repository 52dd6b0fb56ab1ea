"""The private servers are what the tests believe them to be."""

from collections.abc import Callable

import pika
import pytest
from sqlalchemy import text

from deploy.console import ConsoleError
from deploy.postgres import PrivatePostgres
from deploy.rabbitmq import PrivateRabbitMQ
from kernel.database import Database
from tests.kit import wait
from tests.kit.rabbitmq import Vhost, new_vhost


def test_a_fresh_virtual_host_takes_and_gives_a_message(vhost: Vhost) -> None:
    with vhost.channel() as channel:
        channel.queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "q", b"salam", mandatory=True)
    wait.until(lambda: vhost.queue_lengths() == {"q": 1}, what="the queue holds the message")
    assert vhost.get("q") == b"salam"


def test_a_user_reaches_no_virtual_host_but_its_own(make_vhost: Callable[[], Vhost]) -> None:
    ninewa, anbar = make_vhost(), make_vhost()
    foreign = ninewa.broker.url(anbar.name, user=ninewa.user, password=ninewa.password)
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        pika.BlockingConnection(pika.URLParameters(foreign))


def test_an_alarm_is_raised_and_cleared_at_once(own_rabbitmq: PrivateRabbitMQ) -> None:
    own_rabbitmq.set_disk_alarm()
    own_rabbitmq.set_memory_alarm()
    assert "disk" in own_rabbitmq.alarms()
    assert "memory" in own_rabbitmq.alarms()
    own_rabbitmq.set_disk_alarm(False)
    own_rabbitmq.set_memory_alarm(False)
    assert own_rabbitmq.alarms() == "[]"


def test_a_restarted_broker_keeps_messages_and_one_without_data_keeps_only_its_definitions(
    own_rabbitmq: PrivateRabbitMQ,
) -> None:
    vhost = new_vhost(own_rabbitmq)
    persistent = pika.BasicProperties(delivery_mode=2)
    with vhost.channel() as channel:
        channel.queue_declare("q", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "q", b"salam", persistent, mandatory=True)
    own_rabbitmq.restart()
    wait.until(lambda: vhost.queue_lengths() == {"q": 1}, what="the message survived")
    own_rabbitmq.kill()
    own_rabbitmq.delete_data()
    own_rabbitmq.start()
    assert vhost.queue_lengths() == {}


def test_the_console_tells_what_failed(rabbitmq: PrivateRabbitMQ) -> None:
    with pytest.raises(ConsoleError, match="badarith"):
        rabbitmq.evaluate("1 div 0")
    assert rabbitmq.evaluate("1 + 1") == "2"


def test_a_database_is_a_copy_of_its_template(postgres: PrivatePostgres) -> None:
    postgres.create_database("original")
    postgres.execute("CREATE TABLE word (text text)", database="original")
    copy = Database(postgres.create_database("copy", template="original"), service="case")
    with copy.read() as session:
        assert session.execute(text("SELECT count(*) FROM word")).scalar_one() == 0
    copy.close()
    postgres.drop_database("copy")
    postgres.drop_database("original")
