"""The built page as the service gives it out."""

import re

import httpx
import pytest

from api.page import DIST, page_routes
from api.routes import build_api


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(build_api("0")), base_url="http://pillscope")


async def test_the_page_may_load_its_own_files_only(client):
    response = await client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://|<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", response.text)


async def test_every_file_the_page_names_is_there_and_stays_fresh(client):
    index = (await client.get("/")).text
    for name in re.findall(r'(?:src|href)="\./([^"]+)"', index):
        response = await client.get(f"/{name}")
        assert response.status_code == 200, name
        assert ("immutable" in response.headers["cache-control"]) == name.startswith("assets/")
    assert (await client.get("/")).headers["cache-control"] == "no-cache"


async def test_the_page_is_small_on_the_wire(client):
    files = [path.relative_to(DIST).as_posix() for path in DIST.rglob("*") if path.suffix in (".html", ".js", ".css")]
    sizes = []
    for name in files:
        async with client.stream("GET", f"/{name}", headers={"Accept-Encoding": "gzip"}) as response:
            sizes.append(len(b"".join([chunk async for chunk in response.aiter_raw()])))
    assert len(files) >= 3
    assert sum(sizes) < 250_000


async def test_what_is_not_there_is_told_in_the_envelope(client):
    response = await client.get("/assets/../../pyproject.toml")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    for path in ("/nothing", "/assets/nothing.js", "/assets/"):
        response = await client.get(path)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


async def test_the_page_does_not_hide_a_wrong_method(client):
    assert (await client.get("/v1/identify")).status_code == 405
    assert (await client.post("/")).status_code == 405


def test_a_page_that_was_not_built_is_noticed_at_the_start(tmp_path):
    with pytest.raises(RuntimeError, match="does not exist"):
        page_routes(tmp_path / "dist")
