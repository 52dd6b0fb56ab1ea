"""Database work of the engine, off the loop that answers heartbeats.

A lane runs its jobs one after another on a small shared pool of threads; different lanes run side by side, so both
cores are used while each journal and each replica keeps its own order. What a job returns or raises is handed to its
owner on the loop. Owners submit the next job when they hear of the last one: nothing queues without bound.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
WORKERS = 4  # two cores, and as many again waiting for a disk
MOST_WAITING = 64

Post = Callable[[Callable[[], None]], None]


class Lanes:
    """The pool. `post` hands a callback to the loop from any thread."""

    def __init__(self, post: Post, workers: int = WORKERS) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="lane")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="beside")
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="ahead")
        self._post = post

    def lane(self) -> "Lane":
        return Lane(self._pool, self._post)

    def lane_ahead(self) -> "Lane":
        """A lane for opening batches: all of them have one thread, so that what is opened lies together in memory."""
        return Lane(self._ahead, self._post)

    def beside(self, job: Callable[[], T]) -> "Future[T]":
        """Run `job` on one more thread, after those before it. A lane's job may wait for it; it waits for none."""
        return self._beside.submit(job)

    def close(self) -> None:
        """Let what runs finish; start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ahead.shutdown(wait=True, cancel_futures=True)
        self._beside.shutdown(wait=True)


class Lane:
    """Jobs of one journal, link or replica, one at a time, in order."""

    def __init__(self, pool: ThreadPoolExecutor, post: Post) -> None:
        self._pool = pool
        self._post = post
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._running = False

    def run(self, job: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run `job` on the pool after those before it; then `done` or `failed` on the loop."""

        def step() -> None:
            answer: Callable[[], None]
            try:
                result = job()
            except Exception as error:  # the owner decides: retry, stop, or count it as a defect
                answer = _call(failed, error)
            else:
                answer = _call(done, result)
            self._post(answer)
            self._next()

        with self._lock:
            if len(self._waiting) >= MOST_WAITING:
                raise RuntimeError("a lane has more work waiting than its owner can have asked for")
            self._waiting.append(step)
            if self._running:
                return
            self._running = True
        self._next()

    def call(self, job: Callable[[], T]) -> T:
        """Run `job` on this lane's threads and wait for it; for a job of other threads only."""
        return self._pool.submit(job).result()

    def _next(self) -> None:
        with self._lock:
            if not self._waiting:
                self._running = False
                return
            step = self._waiting.popleft()
        try:
            self._pool.submit(step)
        except RuntimeError:  # the pool is closed: the engine stops and this work will be found again at the start
            with self._lock:
                self._running = False


def _call(function: Callable[[Any], None], value: Any) -> Callable[[], None]:
    return lambda: function(value)
