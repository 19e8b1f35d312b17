"""The multipart forms of the public routes: parsed strictly, validated field by field, described for OpenAPI.

Fields arrive as plain text from browsers and curl, and JSON-encoded (`"TEVA"`, `5`, `null`) from BentoML's clients;
both are understood. A file field that holds text is an error: nothing is ever fetched from an address.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, TypeVar

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as UploadedFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from pipeline.errors import InvalidField, MalformedForm
from pipeline.schemas import Hints
from pipeline.vocabulary import COLORS, FORMS, SHAPES

MAX_FIELDS: Final = 16
MAX_TEXT_BYTES: Final = 4_096

F = TypeVar("F", bound=BaseModel)


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    def check(value: str | None) -> str | None:
        word = " ".join((value or "").casefold().split())
        if word and word not in names:
            raise ValueError(f"must be one of: {', '.join(names)}")
        return word or None

    return AfterValidator(check)


def _tidy(value: str | None) -> str | None:
    return " ".join((value or "").split()) or None


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] or None if isinstance(value, str) else value


Text = Annotated[str | None, Field(max_length=100), AfterValidator(_tidy)]
Shape = Annotated[str | None, Field(max_length=100, examples=["oval"]), _one_of(SHAPES)]
Color = Annotated[str | None, Field(max_length=100, examples=["white"]), _one_of(COLORS)]
Form = Annotated[str | None, Field(max_length=100, examples=["tablet"]), _one_of(FORMS)]
TopK = Annotated[int, Field(ge=1, le=50)]
Catalogs = Annotated[
    list[str] | None,
    Field(description="Comma-separated ids, default all", json_schema_extra={"type": "string", "example": "us-nih"}),
    BeforeValidator(_split, json_schema_input_type=str | None),
]


class IdentifyForm(BaseModel):
    """Fields of `POST /v1/identify`."""

    model_config = ConfigDict(extra="forbid")

    front: UploadFile
    back: UploadFile | None = None
    catalogs: Catalogs = None
    top_k: TopK = 5
    imprint: Text = None
    shape: Shape = None
    color: Color = None

    @property
    def hints(self) -> Hints:
        """What the person added by hand."""
        return Hints(imprint=self.imprint, shape=self.shape, color=self.color)


class DetectForm(BaseModel):
    """Fields of `POST /v1/detect`."""

    model_config = ConfigDict(extra="forbid")

    image: UploadFile
    identify: bool = False


def openapi_body(form: type[BaseModel]) -> dict[str, Any]:
    """The request body of a multipart form, as an OpenAPI extension of its route."""
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form.model_json_schema()}}}}


@asynccontextmanager
async def read_form(request: Request, form: type[F]) -> AsyncIterator[F]:
    """Parse and validate a multipart body. Its files are spooled to disk above 1 MB and closed on leaving.

    Raises:
        MalformedForm: not multipart, without boundary, broken, cut off, or with too many parts.
        InvalidField: a field is missing, unknown, given twice, of the wrong kind or out of range.
    """
    parsed = await _parse(request)
    try:
        yield _validate(parsed, form)
    finally:
        await parsed.close()


class _WholeForm(MultiPartParser):
    """Starlette's parser takes a body that ends early for a whole one; this one knows the difference."""

    ended = False

    def on_end(self) -> None:
        self.ended = True


async def _parse(request: Request) -> FormData:
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise MalformedForm("the body must be multipart/form-data")
    parser = _WholeForm(
        request.headers, request.stream(), max_files=MAX_FIELDS, max_fields=MAX_FIELDS, max_part_size=MAX_TEXT_BYTES
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, ValueError):  # ValueError: the boundary itself is unusable
        raise MalformedForm("the multipart body is broken, or has too many or too long parts") from None
    if not parser.ended:
        await parsed.close()
        raise MalformedForm("the multipart body ends before its last boundary")
    return parsed


def _validate(parsed: FormData, form: type[F]) -> F:
    fields: dict[str, Any] = {}
    for name, value in parsed.multi_items():
        if name in fields:
            raise InvalidField(f"{_shown(name, form)}: given twice")
        fields[name] = _decoded(value)
    try:
        return form(**{name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = _shown(str(first["loc"][0]), form)
        message = "must be a file" if name in _file_fields(form) and first["type"] != "missing" else first["msg"]
        raise InvalidField(f"{name}: {message}") from None


def _decoded(value: str | UploadedFile) -> str | UploadedFile | None:
    """A field's value; None where a browser sends an empty input, or a BentoML client sends `null`."""
    if isinstance(value, UploadedFile):
        return value if value.filename or value.size else None
    if len(value) >= 2 and value.startswith('"') and value.endswith('"'):
        try:
            value = str(json.loads(value))
        except json.JSONDecodeError:
            return value
    return None if value in ("", "null") else value


def _file_fields(form: type[BaseModel]) -> set[str]:
    return {name for name, field in form.model_fields.items() if field.annotation in (UploadFile, UploadFile | None)}


def _shown(name: str, form: type[BaseModel]) -> str:
    """A field's name as an error may show it: a stranger's own field names are not echoed at any length."""
    return name if name in form.model_fields else repr(name[:40])
