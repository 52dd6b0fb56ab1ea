"""`jisr dead`: messages that could not be handled, kept for an operator."""

from typing import Annotated

import typer
from pika.exceptions import ChannelClosedByBroker

from kernel.broker import RECORDER, channel_to, check_queue_name, count_dead, dead_letters, replay_dead
from node.commands.output import FOUND_WRONG, AsJson, SettingsFile, explained, read_settings, rows_table, show

app = typer.Typer(no_args_is_help=True, help="Dead letters of this node's queues.")

LINKS = "jisr"  # at a directorate: what its broker gave up on of all links together
REPLAYED = (RECORDER, "notify.facts", "notify.arrivals")
QUEUES = (*REPLAYED, LINKS)

QueueName = Annotated[str | None, typer.Argument(help=f"One of {', '.join(QUEUES)}; all of them if not given.")]


def counts(url: str) -> dict[str, int | None]:
    """How many dead letters each queue has; None for a queue that was never declared. Raises `BrokerAway`."""
    found: dict[str, int | None] = {}
    for queue in QUEUES:
        with channel_to(url, name="jisr dead") as channel:
            try:
                found[queue] = count_dead(channel, queue)
            except ChannelClosedByBroker:
                found[queue] = None
    return found


@app.command("list")
def list_(queue: QueueName = None, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """List dead letters with their causes, oldest first; never their content. Exit code 1 when there are any.

    Example: jisr dead list notify.facts --settings ninewa.toml
    """
    with explained():
        url = read_settings(settings).broker
        chosen = [check_queue_name(queue, QUEUES)] if queue else [name for name, n in counts(url).items() if n]
        letters = [letter for name in chosen for letter in dead_letters(url, name)]
        columns = ["queue", "position", "cause", "bytes"]
        show(letters, as_json=as_json, table=lambda: rows_table(columns, letters, title=f"{len(letters)} dead letters"))
    if letters:
        raise typer.Exit(FOUND_WRONG)


@app.command("replay")
def replay(
    queue: Annotated[str, typer.Argument(help=f"One of {', '.join(REPLAYED)}.")],
    settings: SettingsFile = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at the most.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Put the dead letters of a queue back on it, oldest first, to be handled again.

    Those of links need none: a sender repeats what is not held.

    Example: jisr dead replay notify.facts --settings ninewa.toml
    """
    with explained():
        url = read_settings(settings).broker
        replayed = replay_dead(url, check_queue_name(queue, REPLAYED), limit=limit)
        done = {"queue": queue, "replayed": replayed}
        show(done, as_json=as_json, table=lambda: rows_table(["queue", "replayed"], [done]))
