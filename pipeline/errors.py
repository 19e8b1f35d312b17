"""Every way a request can fail, typed once. `service.py` maps each to HTTP once, by its `status`."""

from typing import ClassVar


class PillscopeError(Exception):
    """Base of all errors a caller may see. `str(error)` is safe to show: never a decoder's own text."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500


class MalformedForm(PillscopeError):
    """The request body is not the form or JSON it claims to be."""

    code, status = "malformed_form", 400


class TokenMissing(PillscopeError):
    """The route needs the operator's token."""

    code, status = "token_missing", 401


class UnknownItem(PillscopeError):
    """No catalogue holds an item of this id."""

    code, status = "unknown_item", 404


class BodyTooLarge(PillscopeError):
    """More bytes than one request may carry."""

    code, status = "body_too_large", 413


class ImageTooLarge(PillscopeError):
    """More pixels, or longer sides, than we decode."""

    code, status = "image_too_large", 413


class UnsupportedImage(PillscopeError):
    """Not a JPEG, PNG or WebP, judged by content; or an animated one."""

    code, status = "unsupported_image", 415


class UndecodableImage(PillscopeError):
    """Looks like a JPEG, PNG or WebP but cannot be decoded."""

    code, status = "undecodable_image", 422


class InvalidField(PillscopeError):
    """A field is missing, of the wrong type or out of its range."""

    code, status = "invalid_field", 422


class TooBusy(PillscopeError):
    """More requests at once than this instance takes on.

    Args:
        retry_after_s: seconds after which trying again makes sense.
    """

    code, status = "too_busy", 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests at once, try again shortly")
        self.retry_after_s = retry_after_s


class RunnerUnavailable(PillscopeError):
    """A runner that the request cannot do without is down.

    Args:
        runner: its name: detector, background, classifier, embedder or ocr.
    """

    code, status = "runner_unavailable", 503

    def __init__(self, runner: str) -> None:
        super().__init__(f"the {runner} runner is not available")
        self.runner = runner


class StoreUnavailable(PillscopeError):
    """The file of one's own catalogues cannot be read or written: locked for long, a full disk, a lost volume."""

    code, status = "store_unavailable", 503


class NotReady(PillscopeError):
    """The service has not finished starting, or something it stands on does not answer.

    Args:
        parts: what is missing: names of runners, or "service".
    """

    code, status = "not_ready", 503

    def __init__(self, parts: list[str]) -> None:
        super().__init__(f"not ready: {', '.join(parts)}")


class DeadlinePassed(PillscopeError):
    """The answer was not ready within the request's deadline."""

    code, status = "deadline_passed", 504
