"""Free ports on loopback.

Ports are taken from below the range from which Linux gives ports to outgoing connections (32768 and up by default):
a port of ours that is closed for a moment, such as that of a broker which is being restarted, is then not handed
to somebody's client in the meantime.

A port that is found free is used seconds later. So that another demo or test run on the same machine does not find the
same one free in between, a process claims a block of ports by holding the block's first port bound, for as long as it
lives, and gives out the others.
"""

import atexit
import random
import socket
import threading

_FIRST, _LAST, _BLOCK = 20000, 32000, 50
_TRIES = 200
_left: list[int] = []
_lock = threading.Lock()


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port on which nobody listens now, never the same twice in one process."""
    with _lock:
        for _ in range(_TRIES):
            if not _left:
                _claim_block(host)
            port = _left.pop()
            if _is_free(host, port):
                return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {host}")


def _claim_block(host: str) -> None:
    """Take a block that no other process holds. Its first port stays bound and is not given out."""
    blocks = list(range(_FIRST, _LAST, _BLOCK))
    random.SystemRandom().shuffle(blocks)
    for first in blocks:
        claim = socket.socket()
        try:
            claim.bind((host, first))
        except OSError:
            claim.close()
            continue
        atexit.register(claim.close)
        _left.extend(range(first + _BLOCK - 1, first, -1))
        return
    raise OSError(f"every block of ports between {_FIRST} and {_LAST} on {host} is taken")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
