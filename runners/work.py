"""One call of a runner that can be stopped from outside, also in the middle of a model's run.

A caller who has left, or whose deadline has passed, has no use for the answer: the processor belongs to the next one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final

import onnxruntime as ort


class WorkStopped(Exception):
    """Nobody waits for this any more."""


class Work:
    """What one call computes. `stop` may be called from any thread, at any time, more than once."""

    def __init__(self) -> None:
        self.stopped = False
        self._lock = Lock()
        self._run: ort.RunOptions | None = None

    def stop(self) -> None:
        """End the model's run that goes on, after the operator it is at, and let none begin."""
        with self._lock:
            self.stopped = True
            if self._run is not None:
                self._run.terminate = True

    @contextmanager
    def run(self) -> Iterator[ort.RunOptions]:
        """Options for one run of a model. Raises `WorkStopped` before or instead of what a stopped run raises."""
        options = ort.RunOptions()
        options.log_severity_level = 4  # fatal: what goes wrong is raised, and logged once, by us
        with self._lock:
            if self.stopped:
                raise WorkStopped
            self._run = options
        try:
            yield options
        except Exception as error:  # ONNX Runtime has no type of its own for a run that was told to end
            if self.stopped:
                raise WorkStopped from error
            raise
        finally:
            with self._lock:
                self._run = None


WORK: Final[ContextVar[Work | None]] = ContextVar("work", default=None)
"""The call that this task, or the thread it waits for, computes; None outside of a served runner."""


class StoppableSession(ort.InferenceSession):  # type: ignore[misc]  # ONNX Runtime ships no types
    """An ONNX Runtime session whose runs end with the call they belong to."""

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any], run_options: ort.RunOptions | None = None
    ) -> Any:
        """See `onnxruntime.InferenceSession.run`. Raises `WorkStopped` when nobody waits for it any more."""
        work = WORK.get()
        if work is None or run_options is not None:
            return super().run(output_names, input_feed, run_options)
        with work.run() as options:
            return super().run(output_names, input_feed, options)
