"""The runners as BentoML services elsewhere: on unix sockets of this host or on other hosts.

Whatever a runner does (down, hung, killed in mid-call, answering nonsense), the caller sees one of two things within
`PILLSCOPE_RUNNER_TIMEOUT_S`: a well-formed answer or `pipeline.errors.RunnerUnavailable`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

import aiohttp
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.attributes import ATTRIBUTE_WIDTH
from pipeline.errors import RunnerUnavailable
from pipeline.ports import Float32, Runners, UInt8
from pipeline.request import seconds_left
from pipeline.schemas import Reading
from pipeline.settings import Settings
from runners.calls import bringing_along

T = TypeVar("T")
log = logging.getLogger(__name__)

GLANCE_S: Final = 1.0
"""How long a runner whose last call took too long has to say that it is ready, before the next call goes without it.
A killed or stopped worker's socket stays open, for the supervisor holds it: without this, every call to it would hang
for the whole timeout. A busy worker does answer, from its event loop."""

RESERVE_S: Final = 0.5
"""Of the time a request has left, what no runner may use up: the answer without that runner still has to be made."""

_READINGS: Final = TypeAdapter(list[list[Reading]])


class BadAnswer(Exception):
    """A runner's answer is not what its contract says."""


class RemoteRunners:
    """All five protocols of `pipeline.ports`, answered by services.

    Args:
        detector, background, classifier, embedder, ocr: what `bentoml.depends(...)` resolves to.
        settings: for the timeout of a call and the token the runners ask for.
    """

    def __init__(
        self, *, detector: Any, background: Any, classifier: Any, embedder: Any, ocr: Any, settings: Settings
    ) -> None:
        self._timeout_s = settings.runner_timeout_s
        self._silent: set[str] = set()
        self._services = {
            "detector": detector,
            "background": background,
            "classifier": classifier,
            "embedder": embedder,
            "ocr": ocr,
        }
        if settings.runner_token is not None:
            authorization = f"Bearer {settings.runner_token.get_secret_value()}"
            for proxy in self._proxies().values():
                proxy.to_async.default_headers["Authorization"] = authorization

    def runners(self) -> Runners:
        """The five of them as the pipeline takes them."""
        return Runners(detector=self, background=self, classifier=self, embedder=self, ocr=self)

    async def unready(self, timeout_s: float) -> list[str]:
        """Names of the runners that do not say within `timeout_s` seconds that they are ready."""
        proxies = self._proxies()
        answers = await asyncio.gather(*(self._alive(name, timeout_s) for name in proxies))
        return [name for name, answer in zip(proxies, answers, strict=True) if not answer]

    async def detect(self, frame: UInt8) -> Float32:
        """See `pipeline.ports.Detector`."""
        return await self._ask("detector", "detect", frame, _floats(None, 5))

    async def mask(self, crops: UInt8) -> UInt8:
        """See `pipeline.ports.Background`."""
        return await self._ask("background", "mask", crops, _array(np.uint8, *crops.shape[:3]))

    async def judge(self, crops: UInt8) -> Float32:
        """See `pipeline.ports.Background`."""
        return await self._ask("background", "judge", crops, _floats(len(crops)))

    async def classify(self, cutouts: UInt8) -> Float32:
        """See `pipeline.ports.Classifier`."""
        return await self._ask("classifier", "classify", cutouts, _floats(len(cutouts), ATTRIBUTE_WIDTH))

    async def embed(self, cutouts: UInt8) -> Float32:
        """See `pipeline.ports.Embedder`."""
        return await self._ask("embedder", "embed", cutouts, _floats(len(cutouts), None, None))

    async def read(self, cutouts: UInt8) -> list[list[Reading]]:
        """See `pipeline.ports.Reader`."""

        def readings(answer: Any) -> list[list[Reading]]:
            if len(checked := _READINGS.validate_python(answer)) != len(cutouts):
                raise BadAnswer(f"{len(checked)} lists of readings for {len(cutouts)} cut-outs")
            return checked

        return await self._ask("ocr", "read", cutouts, readings)

    async def _ask(self, runner: str, method: str, images: UInt8, check: Callable[[Any], T]) -> T:
        """The checked answer of one call. A broken connection is tried once more: no call has side effects."""
        if runner in self._silent:
            if not await self._alive(runner, GLANCE_S):
                raise RunnerUnavailable(runner)
            self._silent.discard(runner)
        call = getattr(self._services[runner].to_async, method)
        timeout_s = self._timeout_s
        if (left_s := seconds_left()) is not None:
            timeout_s = min(timeout_s, max(left_s - RESERVE_S, 0.0))
        try:
            async with asyncio.timeout(timeout_s):
                with bringing_along(timeout_s):
                    try:
                        answer = await call(images)
                    except aiohttp.ClientError as error:
                        log.info("call to the %s runner broke (%s), trying once more", runner, type(error).__name__)
                        answer = await call(images)
            return check(answer)
        except TimeoutError as error:
            log.warning("the %s runner gave no answer in %g s", runner, timeout_s)
            self._silent.add(runner)
            raise RunnerUnavailable(runner) from error
        except Exception as error:  # another process can answer anything: HTTP errors, torn pickles, wrong types
            log.warning("the %s runner failed: %s", runner, type(error).__name__)
            raise RunnerUnavailable(runner) from error

    async def _alive(self, runner: str, timeout_s: float) -> bool:
        """Whether a runner says within `timeout_s` seconds that it is ready; one in this process always is."""
        service = self._services[runner]
        if not hasattr(service, "is_ready"):
            return True
        try:
            async with asyncio.timeout(timeout_s):
                return bool(await service.is_ready())
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _proxies(self) -> dict[str, Any]:
        """The services that are reached over a socket; with `bentoml serve --development` they are in this process."""
        return {name: service for name, service in self._services.items() if hasattr(service, "is_ready")}


def _array(dtype: type[np.generic], *shape: int | None) -> Callable[[Any], NDArray[Any]]:
    """A check that an answer is an array of this type and shape; None stands for any length."""

    def check(answer: Any) -> NDArray[Any]:
        if not isinstance(answer, np.ndarray) or answer.dtype != dtype or answer.ndim != len(shape):
            raise BadAnswer(f"not an array of {len(shape)} dimensions of {dtype.__name__}")
        if any(wanted not in (None, length) for wanted, length in zip(shape, answer.shape, strict=True)):
            raise BadAnswer(f"{answer.shape} instead of {shape}")
        return answer

    return check


def _floats(*shape: int | None) -> Callable[[Any], Float32]:
    """A check that an answer is a float32 array of this shape without NaN or infinity."""
    array = _array(np.float32, *shape)

    def check(answer: Any) -> Float32:
        if not np.isfinite(array(answer)).all():
            raise BadAnswer("numbers that are none")
        return np.asarray(answer, np.float32)

    return check
