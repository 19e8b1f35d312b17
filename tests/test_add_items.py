"""POST /v1/items from the form to the answer of identify, over tiny models and a small index in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

from api.front_door import FrontDoor
from api.operations import Operations
from api.routes import build_api
from index.build import Recipe, build
from index.own import OwnCatalogs
from index.search import LoadedIndex
from pipeline.additions import Additions
from pipeline.errors import RunnerUnavailable
from pipeline.identify import Pipeline
from pipeline.ports import Runners
from pipeline.ranking import RankingWeights
from pipeline.schemas import Versions
from pipeline.settings import Settings
from runners.local import load_local_runners
from tests.conftest import as_jpeg
from tests.index.small_index import parts
from tests.test_service import MULTIPART, error_of
from tests.tiny_models import bright_pill, write_tiny_models

TOKEN = "a-token-of-these-tests"
ADMIN = {"authorization": f"Bearer {TOKEN}"}
ORANGE, BLUE = (255, 235, 200), (200, 235, 255)


def photo(color: tuple[int, int, int] = ORANGE) -> bytes:
    return as_jpeg(bright_pill(color=color))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LoadedIndex:
    folder = tmp_path_factory.mktemp("base")
    build(parts(folder), {}, folder / "index", Recipe())
    return LoadedIndex(folder / "index")


@pytest.fixture(scope="module")
def runners(tmp_path_factory: pytest.TempPathFactory) -> Runners:
    return load_local_runners(write_tiny_models(tmp_path_factory.mktemp("models")))


Worker = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def worker(base: LoadedIndex, runners: Runners, tmp_path: Path) -> AsyncIterator[Worker]:
    """Starts one more worker over the same folder of own items; a client of it."""
    clients: list[httpx.AsyncClient] = []

    def start(without: str = "", **changes: Any) -> httpx.AsyncClient:
        settings = Settings(**{"own_dir": tmp_path / "own", "admin_token": TOKEN, "deadline_s": 60} | changes)
        own = OwnCatalogs(tmp_path / "own", base, "tiny", settings.max_own_items)
        used = Runners(
            **{name: getattr(runners, name) for name in Runners.__slots__} | ({without: Down()} if without else {})
        )
        versions = Versions(bundle="0", models={}, index=base.version, catalogs=base.catalogs)
        weights = RankingWeights.load(settings.ranking).model_copy(update={"none_of_them": -30.0})  # fits a large index
        pipeline = Pipeline(used, base, versions, weights)
        api = build_api("0")
        additions = Additions(pipeline, used.embedder, own)
        api.state.backend.operations = Operations(pipeline, base.catalogs, settings, additions)
        app = FrontDoor(Starlette(), api=api, settings=settings)
        clients.append(httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pillscope", timeout=60))
        return clients[-1]

    yield start
    for client in clients:
        await client.aclose()


class Down:
    """A runner that is not there."""

    def __getattr__(self, method: str) -> Callable[[np.ndarray], Any]:
        async def down(_: np.ndarray) -> None:
            raise RunnerUnavailable("embedder")

        return down


async def add(client: httpx.AsyncClient, *photos: tuple[str, bytes], **fields: str) -> httpx.Response:
    files = [(side, ("a.jpg", content)) for side, content in photos or [("front", photo())]]
    return await client.post("/v1/items", files=files, data={"name": "Demo 10 mg", **fields}, headers=ADMIN)


async def test_an_added_pill_is_identified_searched_and_drawn_at_once(worker: Worker) -> None:
    client = worker()
    before = (await client.post("/v1/identify", files={"front": photo()})).json()
    response = await add(
        client, ("front", photo()), ("front", photo()), ("back", photo(BLUE)),
        catalog="clinic-7", key="D10", manufacturer="Own Lab", imprint_front="TEVA", imprint_back="-", shape="Oval",
        colors="orange, Blue", form="tablet", score_line="none", length_mm="12.5", width_mm="7",
    )  # fmt: skip
    assert response.status_code == 201, response.text
    item = response.json()
    assert response.headers["location"] == "/v1/items/clinic-7:D10"
    assert {name: item[name] for name in ("item_id", "name", "imprint_front", "imprint_back", "colors", "shape")} == {
        "item_id": "clinic-7:D10", "name": "Demo 10 mg", "imprint_front": "TEVA", "imprint_back": "",
        "colors": ["orange", "blue"], "shape": "oval",
    }  # fmt: skip
    assert item["has_photo"]
    answer = (await client.post("/v1/identify", files={"front": photo()}, data={"catalogs": "clinic-7"})).json()
    assert [candidate["item_id"] for candidate in answer["candidates"]] == ["clinic-7:D10"]
    assert answer["candidates"][0]["evidence"]["visual"] > 0.95
    assert "clinic-7" in answer["versions"]["catalogs"]
    assert answer["versions"]["index"] != before["versions"]["index"]
    found = (await client.get("/v1/search", params={"name": "demo"})).json()["candidates"]
    assert found[0]["item_id"] == "clinic-7:D10"
    assert (await client.get("/v1/items/clinic-7:D10")).json() == item
    assert (await client.get(found[0]["drawing_url"])).text.startswith("<svg")


async def test_the_least_that_can_be_said(worker: Worker) -> None:
    item = (await add(worker())).json()
    assert item["catalog"] == "own"
    assert len(item["item_id"]) == len("own:") + 12
    assert item["imprint_front"] is None


async def test_other_workers_see_it_and_so_does_the_next_start(worker: Worker) -> None:
    one, other = worker(), worker()
    assert (await add(one, key="D10")).status_code == 201
    assert (await other.get("/v1/items/own:D10")).status_code == 200
    assert (await worker().get("/v1/items/own:D10")).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"authorization": ""}]
)
async def test_401_without_the_admin_token_before_the_body_is_read(worker: Worker, headers: dict[str, str]) -> None:
    client = worker()

    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    refused = await client.post("/v1/items", content=never(), headers={**MULTIPART, **headers})
    error_of(refused, 401, "token_missing")
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_where_no_token_is_set_nobody_may_add(worker: Worker) -> None:
    client = worker(admin_token=None)
    for headers in ({}, {"authorization": "Bearer "}, ADMIN):
        error_of(await client.post("/v1/items", files={"front": photo()}, headers=headers), 401, "token_missing")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "name: "),
        ({"name": "A" * 501}, "name: "),
        ({"name": "two\nlines"}, "name: "),
        ({"catalog": "us-nih"}, "catalog: us-nih is not one of your own"),
        ({"catalog": "Not An Id"}, "catalog: "),
        ({"key": "../../etc"}, "key: "),
        ({"key": "a/b"}, "key: "),
        ({"shape": "blob"}, "shape: "),
        ({"colors": "white, octarine"}, "colors: "),
        ({"form": "pill"}, "form: "),
        ({"score_line": "three"}, "score_line: "),
        ({"length_mm": "0"}, "length_mm: "),
        ({"length_mm": "NaN"}, "length_mm: "),
        ({"width_mm": "wide"}, "width_mm: "),
        ({"imprint_front": "A" * 101}, "imprint_front: "),
        ({"dose": "10 mg"}, "'dose': "),
        ({"front": "http://127.0.0.1/a.jpg"}, "front: must be a file"),
    ],
)
async def test_422_fields(worker: Worker, fields: dict[str, str], said: str) -> None:
    client = worker()
    assert error_of(await add(client, **fields), 422, "invalid_field").startswith(said)
    assert (await client.get("/v1/search", params={"name": "demo"})).json()["candidates"] == []


@pytest.mark.parametrize(
    ("photos", "status", "code", "said"),
    [
        ([("back", photo())], 422, "invalid_field", "front: Field required"),
        ([("front", photo())] * 5, 422, "invalid_field", "front: "),
        (
            [("front", photo()), ("back", as_jpeg(np.zeros((240, 320, 3), np.uint8)))],
            422,
            "invalid_field",
            "back: no pill",
        ),
        ([("front", photo()), ("back", b"")], 422, "undecodable_image", "the file is empty"),
        ([("front", b"GIF89a......")], 415, "unsupported_image", "photos must be"),
        ([("front", photo()), ("back", photo()[:200])], 422, "undecodable_image", "the JPEG file"),
    ],
)
async def test_photos_that_cannot_be_used_add_nothing(
    worker: Worker, photos: list[tuple[str, bytes]], status: int, code: str, said: str
) -> None:
    client = worker()
    assert error_of(await add(client, *photos, key="D10"), status, code).startswith(said)
    error_of(await client.get("/v1/items/own:D10"), 404, "unknown_item")


async def test_a_taken_key_and_a_full_catalogue(worker: Worker) -> None:
    client = worker(max_own_items=1)
    assert (await add(client, key="D10")).status_code == 201
    assert error_of(await add(client, key="D10", name="Other"), 422, "invalid_field").startswith("key: ")
    assert (await add(client, key="D10", name="Other", replace="true")).json()["name"] == "Other"
    assert error_of(await add(client, key="D11"), 422, "invalid_field").startswith("catalog: full")


@pytest.mark.parametrize("without", ["background", "embedder", "detector"])
async def test_503_without_a_runner_that_adding_needs_and_nothing_is_added(worker: Worker, without: str) -> None:
    client = worker(without=without)
    error_of(await add(client, key="D10"), 503, "runner_unavailable")
    error_of(await worker().get("/v1/items/own:D10"), 404, "unknown_item")


async def test_a_lost_folder_stops_adding_and_nothing_else(worker: Worker, tmp_path: Path) -> None:
    client = worker()
    assert (await add(client, key="D10")).status_code == 201
    (tmp_path / "own" / "own.sqlite").rename(tmp_path / "elsewhere")
    (tmp_path / "own").rmdir()
    error_of(await add(client, key="D11"), 503, "store_unavailable")
    assert (await client.get("/v1/items/own:D10")).status_code == 200
    answer = await client.post("/v1/identify", files={"front": photo()}, data={"catalogs": "own"})
    assert answer.json()["candidates"][0]["item_id"] == "own:D10"


async def test_a_worker_that_never_could_read_the_store_answers_for_the_index_alone(
    worker: Worker, tmp_path: Path
) -> None:
    """What might ask for one's own pills gets 503, not an answer as if there were none; until the store is back."""
    assert (await add(worker(), key="D10")).status_code == 201
    store = tmp_path / "own" / "own.sqlite"
    kept = store.read_bytes()
    store.write_bytes(b"no database at all" * 100)
    client = worker()
    for own in ({}, {"catalogs": "own"}, {"catalogs": "us-nih,own"}):
        error_of(await client.post("/v1/identify", files={"front": photo()}, data=own), 503, "store_unavailable")
    error_of(await client.get("/v1/search", params={"name": "demo"}), 503, "store_unavailable")
    error_of(await client.get("/v1/items/own:D10"), 503, "store_unavailable")
    error_of(await client.post("/v1/detect", files={"image": photo()}), 503, "store_unavailable")
    error_of(await add(client, key="D11"), 503, "store_unavailable")
    answer = await client.post("/v1/identify", files={"front": photo()}, data={"catalogs": "us-nih,tw-tfda"})
    assert answer.status_code == 200
    assert (await client.get("/v1/search", params={"name": "a", "catalogs": "us-nih"})).status_code == 200
    error_of(await client.get("/v1/items/us-nih:none"), 404, "unknown_item")
    assert store.read_bytes() == b"no database at all" * 100
    store.write_bytes(kept)
    assert (await client.get("/v1/items/own:D10")).status_code == 200
    assert (await client.post("/v1/identify", files={"front": photo()})).status_code == 200


async def test_adding_and_asking_at_the_same_time(worker: Worker) -> None:
    one, other = worker(), worker()

    async def ask(client: httpx.AsyncClient) -> int:
        return (await client.post("/v1/identify", files={"front": photo()})).status_code

    additions = [add(client, key=f"{number}-{client is one}") for number in range(3) for client in (one, other)]
    answers = await asyncio.gather(*additions, *(ask(client) for _ in range(4) for client in (one, other)))
    assert [getattr(answer, "status_code", answer) for answer in answers] == [201] * 6 + [200] * 8
    for client in (one, other):
        found = (await client.get("/v1/search", params={"name": "demo", "top_k": "50"})).json()["candidates"]
        assert len(found) == 6
