"""The multipart forms of the public routes: parsed strictly, validated field by field, described for OpenAPI.

Fields arrive as plain text from browsers and curl, and JSON-encoded (`"TEVA"`, `5`, `null`) from BentoML's clients;
both are understood. A file field that holds text is an error: nothing is ever fetched from an address.
"""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, BinaryIO, Final, TypeVar, get_args

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as UploadedFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from pipeline.errors import InvalidField, MalformedForm
from pipeline.schemas import Hints, NewItem, SideName
from pipeline.vocabulary import COLORS, FORMS, SCORE_LINES, SHAPES

MAX_FIELDS: Final = 24
MAX_TEXT_BYTES: Final = 4_096
KNOWN_BLANK: Final = "-"
"""How a form says that a side carries nothing, as in `index.importers.table`; an empty field says nothing."""

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


Photos = Annotated[list[UploadFile], Field(max_length=4)]


class AddForm(BaseModel):
    """Fields of `POST /v1/items`; `front` and `back` may be given several times."""

    model_config = ConfigDict(extra="forbid")

    name: str
    front: Annotated[Photos, Field(min_length=1)]
    back: Photos = []
    catalog: Annotated[str, Field(description="Id of a catalogue of your own", examples=["own"])] = "own"
    key: Annotated[str | None, Field(description="The item's id in it; one is made up where there is none")] = None
    manufacturer: Text = None
    ingredient: Text = None
    imprint_front: Annotated[Text, Field(description='As printed; "-" for a side known to be blank')] = None
    imprint_back: Text = None
    shape: Shape = None
    colors: Annotated[
        list[str],
        Field(description="Comma-separated", json_schema_extra={"type": "string", "example": "white,blue"}),
        BeforeValidator(_split, json_schema_input_type=str),
    ] = []
    form: Form = None
    score_line: Annotated[str | None, _one_of(SCORE_LINES)] = None
    length_mm: float | None = None
    width_mm: float | None = None
    replace: Annotated[bool, Field(description="Whether an item of the same key gives way")] = False

    @property
    def item(self) -> NewItem:
        """The item as the pipeline takes it. Raises `InvalidField`."""
        stated = self.model_dump(exclude={"front", "back", "replace"})
        stated["key"] = self.key or secrets.token_hex(6)
        stated["colors"] = list(dict.fromkeys(color.casefold() for color in self.colors or ()))
        for side in ("imprint_front", "imprint_back"):
            stated[side] = "" if stated[side] == KNOWN_BLANK else stated[side]
        try:
            return NewItem.model_validate(stated)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise InvalidField(f"{first['loc'][0]}: {first['msg']}") from None

    @property
    def photos(self) -> list[tuple[SideName, BinaryIO]]:
        """The photos with the side they show."""
        return [("front", photo.file) for photo in self.front] + [("back", photo.file) for photo in self.back]


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
        decoded = _decoded(value)
        if name in form.model_fields and _holds(UploadFile, form.model_fields[name].annotation, in_list=True):
            fields.setdefault(name, []).extend([] if decoded is None else [decoded])
        elif name in fields:
            raise InvalidField(f"{_shown(name, form)}: given twice")
        else:
            fields[name] = decoded
    try:
        return form(**{name: value for name, value in fields.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = _shown(str(first["loc"][0]), form)
        wrong_kind = name in _file_fields(form) and first["type"] not in ("missing", "too_short", "too_long")
        message = "must be a file" if wrong_kind else first["msg"]
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
    return {name for name, field in form.model_fields.items() if _holds(UploadFile, field.annotation)}


def _holds(kind: type, annotation: Any, *, in_list: bool = False) -> bool:
    """Whether a field is of `kind`, may be, or is a list of it; with `in_list`, whether it is such a list."""
    parts = get_args(annotation)
    if getattr(annotation, "__origin__", None) is list:
        return kind in parts
    return not in_list and (annotation is kind or kind in parts)


def _shown(name: str, form: type[BaseModel]) -> str:
    """A field's name as an error may show it: a stranger's own field names are not echoed at any length."""
    return name if name in form.model_fields else repr(name[:40])
