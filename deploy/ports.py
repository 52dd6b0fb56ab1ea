"""Free ports on loopback.

Ports are taken from below the range from which Linux gives ports to outgoing connections (32768 and up by
default):
a port of ours that is closed for a moment, such as that of a broker which is being restarted, is then not
handed to
somebody's client in the meantime.
"""

import random
import socket
import threading

_FIRST, _LAST = 20000, 32000
_TRIES = 200
_given: set[int] = set()
_lock = threading.Lock()


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port on which nobody listens now, never the same twice in one process."""
    with _lock:
        for _ in range(_TRIES):
            port = random.SystemRandom().randint(_FIRST, _LAST)
            if port not in _given and _is_free(host, port):
                _given.add(port)
                return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {host}")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
