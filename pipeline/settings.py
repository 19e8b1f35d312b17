"""Everything an operator may set, in one class: environment variables with the prefix `PILLSCOPE_`.

Every default works on one machine as it is. An unknown variable or an invalid value is an error of one line that names
it: a typo must not silently leave a limit or a token unset.
"""

import difflib
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.photo import PhotoLimits

PREFIX: Final = "PILLSCOPE_"
ROOT: Final = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A variable that is unknown or invalid. One line, names the variable, never shows a secret's value."""


class Settings(BaseSettings):
    """The environment of one process of the bundle; every process reads the same class."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, use_attribute_docstrings=True, extra="forbid"
    )

    # What is taken in
    max_body_bytes: Annotated[int, Field(ge=100_000, le=100_000_000)] = 10_000_000
    """Largest request body, in bytes; refused with 413 before it is buffered. A 12-megapixel JPEG has 3 to 6 MB."""

    max_pixels: Annotated[int, Field(ge=10_000, le=200_000_000)] = 40_000_000
    """Most pixels of one photo; refused with 413 from its header, before decoding. Decoded, a pixel takes 3 bytes."""

    max_side: Annotated[int, Field(ge=100, le=65_500)] = 12_000
    """Longest side of one photo, in pixels; refused with 413 from its header."""

    long_side: Annotated[int, Field(ge=320, le=12_000)] = 1_600
    """Photos are halved or quartered while decoding as long as their long side keeps this many pixels. The imprint
    of a pill that fills a tenth of the photo still has 160 pixels then."""

    # How much at once, how long
    max_in_flight: Annotated[int, Field(ge=1, le=1_000)] = 16
    """Identify, detect, search and add requests worked on or waiting at once, per worker; more get 429 with
    Retry-After. At 0.1 to 0.2 s of work each, the last of 16 still answers well within the deadline on two cores."""

    decode_slots: Annotated[int, Field(ge=1, le=64)] = 2
    """Photos decoded at once, per worker. Bounds memory: 40 megapixels take 40 MB as JPEG, up to 350 MB as PNG and
    650 MB as WebP for a moment."""

    retry_after_s: Annotated[int, Field(ge=1, le=60)] = 1
    """What a 429 answer asks the client to wait, in seconds."""

    deadline_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds from a request's first byte to its answer, upload included; then 504 and its work is cancelled."""

    ready_timeout_s: Annotated[float, Field(gt=0, le=10)] = 1.5
    """How long /readyz waits for a runner. Below 2 s, so that an orchestrator's probe never waits on a hung runner."""

    # Runners
    models_dir: Path = ROOT / "models"
    """Folder with manifest.json and the ONNX files. Default: the one shipped with the code."""

    background: Annotated[str, Field(pattern=r"^(pillscope|rembg:[\w.\-]+)$")] = "pillscope"
    """Who cuts pills out: `pillscope` (our mask model) or `rembg:<model>` (any rembg session, needs the extra)."""

    runner_timeout_s: Annotated[float, Field(gt=0, le=300)] = 5.0
    """How long the public service waits for one runner call, its one retry included. Keep it well below `deadline_s`:
    a killed or hung runner is known by this time running out, and what is left then goes into an answer without it."""

    runner_token: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Bearer token between the public service and its runners. Needed as soon as a runner listens on TCP beyond
    loopback; the same value goes to every role."""

    batch_size: Annotated[int, Field(ge=1, le=64)] = 1
    """Cut-outs of waiting requests that share one run of the classifier, embedder or reader. 1 = off, which is best on
    processors; on a GPU try 8 (benchmarks/results/batching.md). Batched work goes on when its caller leaves."""

    # Catalogues
    index_dir: Path = ROOT / "index" / "data"
    """Folder with catalog.sqlite, vectors.faiss and their manifest. Default: the one shipped with the code."""

    index_effort: Annotated[int, Field(ge=1, le=100_000)] = 64
    """For an index built with `--method hnsw` or `ivfpq`: candidates followed, or lists looked into, per search. More
    finds more and takes longer (`python -m benchmarks index_scale`). Exact search, the default, knows none."""

    ranking: Path = ROOT / "configs" / "ranking.yaml"
    """File with the weights and thresholds of ranking and decision, as `python -m training ranking` writes it."""

    own_dir: Path | None = None
    """Folder for catalogues of your own, added to through POST /v1/items and kept there; made when it is not there.
    Unset: nothing can be added. Every worker on this host that has the same folder sees an addition at once."""

    max_own_items: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    """Most items in `own_dir`. Adding one lays the whole index out anew, about a second of work; larger catalogues go
    through `python -m index build --table`."""

    admin_token: Annotated[SecretStr | None, Field(min_length=16)] = None
    """Bearer token of whoever may add items. Unset: nobody may. Needs `own_dir`."""

    # Logs and traces
    log_format: Literal["json", "text"] = "json"
    """`json`: one object a line, for collectors; `text`: for a person's terminal."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged. No level logs pixels, file names or what was read on a pill."""

    traces: Annotated[str | None, Field(pattern=r"^https?://[^\s@]+$")] = None
    """OpenTelemetry collector that spans are sent to (OTLP over HTTP), such as `http://collector:4318/v1/traces`.
    Unset: none are made."""

    trace_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of requests that are traced, where the caller's own trace does not decide it."""

    # Not the service's
    data: Path | None = None
    """Folder with the training and evaluation data: read by training, benchmarks and tests, ignored by the service."""

    @model_validator(mode="after")
    def _token_has_a_folder(self) -> Self:
        if self.admin_token is not None and self.own_dir is None:
            raise ValueError(
                f"{PREFIX}ADMIN_TOKEN lets people add items, but {PREFIX}OWN_DIR says nowhere to keep them"
            )
        return self

    @property
    def photo_limits(self) -> PhotoLimits:
        """The part that `pipeline.photo` takes."""
        return PhotoLimits(self.max_body_bytes, self.max_pixels, self.max_side, self.long_side)


def load_settings() -> Settings:
    """The settings in this process's environment as it is now.

    Raises:
        SettingsError: a `PILLSCOPE_` variable that does not exist, or a value that does not fit.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            close = difflib.get_close_matches(variable.upper(), known, n=1)
            raise SettingsError(f"{variable} is no setting" + (f"; did you mean {close[0]}?" if close else ""))
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise SettingsError(f"{name}{first['msg'].removeprefix('Value error, ')}") from None


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once. Raises `SettingsError`."""
    return load_settings()
