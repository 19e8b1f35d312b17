"""Callers that ask without pause, and what became of their requests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import requests

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request. `ended`: time.monotonic(); `status`: 0 = no answer; `without`: evidence was missing."""

    ended: float
    seconds: float
    status: int
    without: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Outcomes of `seconds` of load by `callers`."""

    callers: int
    seconds: float
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> int:
        """Requests that got no 200."""
        return sum(outcome.status != requests.codes.ok for outcome in self.outcomes)

    @property
    def without(self) -> int:
        """Answers that lacked evidence: a runner did not answer in time."""
        return sum(outcome.without for outcome in self.outcomes)

    @property
    def throughput(self) -> float:
        """Full answers a second."""
        return (len(self.outcomes) - self.failed - self.without) / self.seconds

    def percentile(self, percent: float) -> float:
        """Seconds within which `percent` of the requests ended."""
        return float(np.percentile([outcome.seconds for outcome in self.outcomes], percent)) if self.outcomes else 0.0


class Callers:
    """`number` threads that post one photo again and again."""

    def __init__(self, url: str, photo: bytes, number: int) -> None:
        self.number = number
        self._url, self._photo = f"{url}/v1/identify", photo
        self._over = threading.Event()
        self._outcomes: list[Outcome] = []
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(number)]

    def window(self, seconds: float) -> Window:
        """What ends within the next seconds."""
        began = time.monotonic()
        time.sleep(seconds)
        return self.since(began)

    def since(self, began: float) -> Window:
        """What has ended since `began`, time.monotonic()."""
        now = time.monotonic()
        ended = tuple(outcome for outcome in list(self._outcomes) if began <= outcome.ended <= now)
        return Window(self.number, now - began, ended)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        with requests.Session() as session:
            while not self._over.is_set():
                began = time.monotonic()
                status, without = 0, False
                try:
                    response = session.post(self._url, files={"front": self._photo}, timeout=TIMEOUT_S)
                    status = response.status_code
                    without = response.ok and bool(response.json()["missing"])
                except requests.RequestException:
                    pass
                ended = time.monotonic()
                self._outcomes.append(Outcome(ended, ended - began, status, without))


@contextmanager
def load(url: str, photo: bytes, callers: int) -> Iterator[Callers]:
    """Callers at work; on leaving, each finishes the request it is at."""
    at_work = Callers(url, photo, callers)
    at_work.start()
    try:
        yield at_work
    finally:
        at_work.stop()
