"""The front proxy's real configuration, in a real nginx, before two services of which one dies."""

import http.server
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import yaml

from benchmarks.server import free_port
from pipeline.settings import ROOT

DEPLOY = ROOT / "deploy"


class Dies(http.server.BaseHTTPRequestHandler):
    """Reads a request and hangs up, as a killed process does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        return None


class Answers(Dies):
    """Says which path it was asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def front(folder: Path, *ports: int) -> Iterator[str]:
    """URL of nginx with deploy/nginx/front.conf, its address and its upstream put on this machine."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if nginx is None:
        pytest.skip("nginx is not installed: apt install nginx-light")
    port = free_port()
    text = (DEPLOY / "nginx" / "front.conf").read_text()
    text = text.replace("least_conn;\n", "")  # in turn, so that the dead one is met for certain
    servers = "\n".join(f"    server 127.0.0.1:{number} max_fails=0;" for number in ports)
    text, hits = re.subn(r"    server public:3000 [^\n]+", servers, text)
    assert hits == 1
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/etc/nginx/", f"{DEPLOY}/nginx/")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root; " if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off; pid {folder}/pid; error_log {folder}/log; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {folders}\n{text}\n}}\n"
    )
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    url = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            requests.get(f"{url}/metrics", timeout=1)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_a_question_is_asked_again_of_another_replica_and_a_change_is_not(tmp_path: Path) -> None:
    with serving(Dies) as dead, serving(Answers) as alive, front(tmp_path, dead, alive) as url:
        questions = [requests.post(f"{url}/v1/identify", data=b"photo", timeout=10) for _ in range(20)]
        changes = [requests.post(f"{url}/v1/items", data=b"row", timeout=10) for _ in range(20)]
    assert [answer.status_code for answer in questions] == [200] * 20
    assert {answer.text for answer in questions} == {"/v1/identify"}
    assert {answer.status_code for answer in changes} == {200, 502}  # adding an item twice would be worse than an error


def test_the_front_keeps_the_figures_inside_and_large_bodies_out(tmp_path: Path) -> None:
    with serving(Answers) as alive, front(tmp_path, alive) as url:
        assert requests.get(f"{url}/metrics", timeout=10).status_code == 404
        assert requests.post(f"{url}/v1/identify", data=bytes(10_500_000), timeout=10).status_code == 200
        assert requests.post(f"{url}/v1/identify", data=bytes(12_000_000), timeout=10).status_code == 413


def test_compose_has_each_role_once_and_one_port() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"front", "public", "detector", "background", "classifier", "embedder", "ocr"}
    assert [name for name, service in services.items() if service.get("ports")] == ["front"]
    depends = dict(pair.split("=") for pair in services["public"]["environment"]["BENTOML_SERVE_DEPENDS"].split())
    for name, url in depends.items():
        assert url == f"http://{name}:3000"
        command = services[name]["command"]
        assert command[command.index("--service-name") + 1] == name
        assert services[name]["networks"] == ["runners"]
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["read_only"] is True
        if name != "front":
            assert service["cap_drop"] == ["ALL"]
            assert service["environment"]["PILLSCOPE_RUNNER_TOKEN"].startswith("${PILLSCOPE_RUNNER_TOKEN:?")
