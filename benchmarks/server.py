"""A real server for tests and measurements: `bentoml serve` as a subprocess on a free loopback port, its workers by
name."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

from pipeline.settings import ROOT

START_S = 400  # a cold start imports seven times; that takes minutes on a machine that is busy elsewhere


class Server:
    """A running bundle. `url`: of the public service; `log`: what all its processes have said."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log_file: Path) -> None:
        self.process, self.url, self.log_file = process, f"http://127.0.0.1:{port}", log_file

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    def worker(self, name: str) -> psutil.Process:
        """The worker process of one service. Raises `LookupError` while it has none."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                command = process.cmdline()
            except psutil.Error:
                continue
            if "--service-name" in command and command[command.index("--service-name") + 1] == name:
                return process
        raise LookupError(name)

    def resident(self) -> dict[str, int]:
        """Memory of each of its processes, bytes, by the name of its service."""
        family = {"supervisor": psutil.Process(self.process.pid)}
        for process in family["supervisor"].children(recursive=True):
            command = process.cmdline()
            named = "--service-name" in command
            family[command[command.index("--service-name") + 1] if named else f"{process.pid}"] = process
        return {name: process.memory_info().rss for name, process in family.items()}

    def ready(self, timeout_s: float = 5) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=timeout_s).status_code == 200
        except requests.RequestException:
            return False

    def wait_until_ready(self, within_s: float = START_S) -> float:
        """Seconds it took. Raises `RuntimeError` with the end of the log when it ended or is not ready in time."""
        began = time.monotonic()
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended:\n{self.log[-3000:]}")
            if time.monotonic() - began > within_s:
                raise RuntimeError(f"not ready after {within_s} s:\n{self.log[-3000:]}")
            time.sleep(0.2)
        return time.monotonic() - began


def free_port() -> int:
    """A loopback TCP port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """This process's environment, but with these `PILLSCOPE_` settings (named without the prefix) and no others, and
    with BentoML's store in `folder`."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PILLSCOPE_", "PROMETHEUS_"))
    }
    return {
        **inherited,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "bentoml"),
        **{f"PILLSCOPE_{name.upper()}": value for name, value in settings.items()},
    }


def launch(module: str, arguments: list[str], folder: Path, *, cwd: Path = ROOT, **settings: str) -> Server:
    """Start `python -m module arguments --host 127.0.0.1 --port <free>`; its log goes into `folder`."""
    port = free_port()
    log_file = folder / f"server-{port}.log"
    command = [sys.executable, "-m", module, *arguments, "--host", "127.0.0.1", "--port", str(port)]
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment(folder, **settings), stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    return Server(process, port, log_file)


def start(folder: Path, **settings: str) -> Server:
    """Start the whole bundle from this checkout."""
    return launch("bentoml", ["serve", "service:Pillscope"], folder, **settings)


def stop(server: Server) -> None:
    """End the server and whatever it has started."""
    family = [psutil.Process(server.process.pid)] if psutil.pid_exists(server.process.pid) else []
    family += [child for process in family for child in process.children(recursive=True)]
    server.process.terminate()
    _, alive = psutil.wait_procs(family, timeout=15)
    for process in alive:
        process.kill()
    server.process.wait(10)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Server]:
    """A server that is ready, stopped on leaving."""
    server = start(folder, **settings)
    try:
        server.wait_until_ready()
        yield server
    finally:
        stop(server)


@contextmanager
def paused(process: psutil.Process) -> Iterator[None]:
    """Hold a process still with SIGSTOP."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
