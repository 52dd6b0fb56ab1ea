"""A quick console to a private broker: one Erlang expression in, its value out, in about a millisecond.

An Erlang process of our own stays connected to the broker's node and reads expressions, base64, a line each,
from its standard
input. `rabbitmqctl eval` does the same for one expression, and needs one to two seconds of start-up each
time.
"""

import base64
import binascii
import secrets
import select
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from deploy.children import as_user, kill

ANSWER_SECONDS = 60

# Reads a line, has the broker parse and evaluate it, prints `ok `/`error ` and the value, base64.
_PROGRAM = """
Node = list_to_atom(os:getenv("JISR_CONSOLE_NODE")),
Run = fun(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    case rpc:call(Node, erl_eval, exprs, [Expressions, []], 55000) of
        {value, Value, _} -> {"ok ", Value};
        Other -> {"error ", Other}
    end
end,
Loop = fun(Again) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            {Word, Value} = try Run(binary_to_list(base64:decode(string:trim(Line))))
                            catch Kind:Reason -> {"error ", {Kind, Reason}} end,
            Answer = unicode:characters_to_binary(io_lib:format("~0p", [Value])),
            io:put_chars([Word, base64:encode_to_string(Answer), "\\n"]),
            Again(Again)
    end
end,
Loop(Loop).
"""


class ConsoleError(RuntimeError):
    """The broker could not evaluate an expression; the text is Erlang's."""


class Console:
    """A connection to the Erlang node `node`, whose cookie is in the HOME of `environment`."""

    def __init__(self, node: str, *, environment: Mapping[str, str], log: Path) -> None:
        self._lock = threading.Lock()
        command = [
            *as_user(None, death_signal="KILL"),
            *("erl", "-noshell", "-hidden", "-start_epmd", "false"),
            *("-sname", f"console-{secrets.token_hex(4)}@localhost"),
            *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
            *("-eval", " ".join(_PROGRAM.split())),
        ]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**environment, "JISR_CONSOLE_NODE": node},
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether the console's process lives."""
        return self._process.poll() is None

    def evaluate(self, expression: str) -> str:
        """The value of `expression` as Erlang prints it on one line. Raises ConsoleError."""
        with self._lock:
            try:
                _pipe(self._process.stdin).write(base64.b64encode(expression.encode()) + b"\n")
                _pipe(self._process.stdin).flush()
                word, _, encoded = self._answer().partition(b" ")
                value = base64.b64decode(encoded, validate=True).decode()
            except (OSError, binascii.Error) as error:
                kill(self._process)
                raise ConsoleError(f"the console to the broker failed: {error}") from error
        if word != b"ok":
            raise ConsoleError(value)
        return value

    def close(self) -> None:
        """End the console's process."""
        kill(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            _pipe(pipe).close()

    def _answer(self) -> bytes:
        output = _pipe(self._process.stdout)
        if not select.select([output], [], [], ANSWER_SECONDS)[0]:
            raise OSError(f"no answer within {ANSWER_SECONDS} seconds")
        line = output.readline().strip()
        if not line:
            raise OSError("its process ended")
        return line


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ConsoleError("the console has no pipe")
    return pipe
