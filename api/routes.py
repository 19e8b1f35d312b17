"""The public routes as a FastAPI application: the contract's paths, fields and status codes, no thinking."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from api.envelope import error_response
from api.forms import (
    AddForm,
    Catalogs,
    Color,
    DetectForm,
    Form,
    IdentifyForm,
    Shape,
    Text,
    TopK,
    openapi_body,
    read_form,
)
from api.operations import Operations
from api.page import page_routes
from pipeline.drawing import Language
from pipeline.errors import NotReady, PillscopeError
from pipeline.schemas import CatalogItem, DetectionResult, ErrorEnvelope, Identification, SearchResult

T = TypeVar("T")

DESCRIPTION: Final = """Photo of a pill in, ranked medicines out. Not a medical device: an answer is a suggestion to be
checked, never a reason to take a pill."""

SVG_HEADERS: Final = {
    "Cache-Control": "public, max-age=86400",
    "Content-Security-Policy": "default-src 'none'",  # opened by itself, an SVG is a page
}

ADMIN: Final = HTTPBearer(auto_error=False, scheme_name="admin", description="PILLSCOPE_ADMIN_TOKEN")

router = APIRouter()


class Backend:
    """What the routes stand on, put in place when the service starts.

    `operations`: None until models and index are loaded; `unready`: names of what cannot be reached right now.
    """

    def __init__(self) -> None:
        self.operations: Operations | None = None
        self.unready: Callable[[], Awaitable[list[str]]] | None = None


def operations_of(request: Request) -> Operations:
    """The operations of the running service. Raises `NotReady` before it has started."""
    operations: Operations | None = request.app.state.backend.operations
    if operations is None:
        raise NotReady(["service"])
    return operations


Given = Annotated[Operations, Depends(operations_of)]


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ErrorEnvelope} for status in statuses}


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


@router.post(
    "/v1/identify",
    response_model=Identification,
    responses=_errors(400, 413, 415, 422, 429, 503, 504),
    openapi_extra=openapi_body(IdentifyForm),
)
async def identify(request: Request, operations: Given) -> Response:
    """One pill, photographed from one side or both: what can it be?"""
    async with read_form(request, IdentifyForm) as form:
        back = form.back.file if form.back else None
        work = operations.identify(form.front.file, back, form.catalogs, form.top_k, form.hints)
        return _json(await _while_connected(request.receive, work))


@router.post(
    "/v1/detect",
    response_model=DetectionResult,
    responses=_errors(400, 413, 415, 422, 429, 503, 504),
    openapi_extra=openapi_body(DetectForm),
)
async def detect(request: Request, operations: Given) -> Response:
    """Every pill in one photo; with `identify=true`, what each of them can be."""
    async with read_form(request, DetectForm) as form:
        work = operations.detect(form.image.file, form.identify)
        answer = await _while_connected(request.receive, work)
    unasked = None if form.identify else {"pills": {"__all__": {"decision", "reason", "candidates"}}}
    return Response(answer.model_dump_json(exclude=unasked), media_type="application/json")


class SearchQuery(BaseModel):
    """Query of `GET /v1/search`: by what a person reads or sees."""

    model_config = ConfigDict(extra="forbid")

    imprint: Text = None
    shape: Shape = None
    color: Color = None
    form: Form = None
    name: Text = None
    catalogs: Catalogs = None
    top_k: TopK = 5


@router.get("/v1/search", response_model=SearchResult, responses=_errors(422, 429, 503, 504))
async def search(query: Annotated[SearchQuery, Query()], operations: Given) -> Response:
    """Items by imprint, look or name. Imprints match over case, spaces, score lines and look-alike letters."""
    return _json(await operations.search(**query.model_dump()))


@router.get("/v1/items/{item_id:path}/drawing.svg", response_class=Response, responses=_errors(404, 422))
async def drawing(item_id: str, operations: Given, lang: Language = "en") -> Response:
    """The pill of a catalogue row, drawn from its attributes; `lang`: of the words beside it."""
    return Response(await operations.drawing(item_id, lang), media_type="image/svg+xml", headers=SVG_HEADERS)


@router.get("/v1/items/{item_id:path}", response_model=CatalogItem, responses=_errors(404, 503))
async def item(item_id: str, operations: Given) -> Response:
    """One catalogue row."""
    return _json(await operations.item(item_id))


@router.post(
    "/v1/items",
    status_code=201,
    response_model=CatalogItem,
    responses=_errors(400, 401, 413, 415, 422, 429, 503, 504),
    openapi_extra=openapi_body(AddForm),
)
async def add(
    request: Request, operations: Given, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(ADMIN)]
) -> Response:
    """Add a pill to a catalogue of your own: searchable at once, kept for good."""
    operations.admit(bearer.credentials if bearer else None)  # before anything of the body is read
    async with read_form(request, AddForm) as form:
        new = form.item
        added = await _while_connected(request.receive, operations.add(new, form.photos, form.replace))
    return Response(
        added.model_dump_json(), 201, media_type="application/json", headers={"Location": f"/v1/items/{added.item_id}"}
    )


class Health(BaseModel):
    """`status`: "alive" or "ready"."""

    status: str


@router.get("/livez", response_model=Health)
async def livez() -> Health:
    """The process answers."""
    return Health(status="alive")


@router.get("/readyz", response_model=Health, responses=_errors(503))
async def readyz(request: Request) -> Health:
    """Models and index are loaded and every runner answers; told within two seconds either way."""
    backend: Backend = request.app.state.backend
    unready = ["service"] if backend.unready is None else await backend.unready()
    if unready:
        raise NotReady(unready)
    return Health(status="ready")


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    """Swagger UI from the files that BentoML ships: nothing is loaded from elsewhere."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Pillscope",
        swagger_js_url="/static_content/swagger-ui-bundle.js",
        swagger_css_url="/static_content/swagger-ui.css",
        swagger_favicon_url="/static_content/favicon-light-32x32.png",
    )


def build_api(version: str) -> FastAPI:
    """The application, with an empty `state.backend` to be filled when the service starts."""
    api = FastAPI(title="Pillscope", version=version, description=DESCRIPTION, docs_url=None, redoc_url=None)
    api.state.backend = Backend()
    api.include_router(router)
    api.router.routes.extend(page_routes())
    for kind in (PillscopeError, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        api.add_exception_handler(kind, _tell)
    return api


async def _tell(_: Request, error: Exception) -> Response:
    return error_response(error)


async def _while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled as soon as the client closes the connection.

    `receive` must have given the whole body already. Raises `ClientDisconnect` when the client left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
