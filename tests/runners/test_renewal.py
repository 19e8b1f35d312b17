"""Calls spread over replicas behind a balancer that spreads connections only, as a Kubernetes Service does."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from runners.renewal import ConnectionRenewal


def replica(name: str) -> ASGIApp:
    """Answers with its name, from behind the middleware."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(name)(scope, receive, send)

    return ConnectionRenewal(app, mean_calls=4)


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """Port of a real server."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@asynccontextmanager
async def balanced(ports: list[int]) -> AsyncIterator[int]:
    """A balancer of connections: each goes to the next of `ports`, which may grow."""
    turn = 0

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        turn += 1
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", ports[turn % len(ports)])
        await asyncio.gather(pipe(reader, up_writer), pipe(up_reader, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def ask(session: aiohttp.ClientSession, port: int, calls: int) -> Counter[str]:
    async def one() -> str:
        async with session.post(f"http://127.0.0.1:{port}/") as response:
            assert response.status == 200
            return await response.text()

    return Counter([await one() for _ in range(calls)])


@pytest.mark.parametrize(("listens_on", "expected"), [("127.0.0.1", {"old", "new"}), (None, {"old"})])
async def test_a_replica_added_later_gets_its_share(
    monkeypatch: pytest.MonkeyPatch, listens_on: str | None, expected: set[str]
) -> None:
    """Without renewal (as on a unix socket) a lasting connection stays where it is: that shows the cause."""
    monkeypatch.setattr("runners.renewal.listening_address", lambda: listens_on)
    async with served(replica("old")) as old, served(replica("new")) as new:
        ports = [old]
        async with balanced(ports) as port, aiohttp.ClientSession() as session:
            assert set(await ask(session, port, 10)) == {"old"}
            ports.append(new)
            answers = await ask(session, port, 200)
    assert set(answers) == expected
    if expected == {"old", "new"}:
        assert answers["new"] > 50


def test_it_needs_no_worker_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert ConnectionRenewal(replica("x")).on_tcp is False
