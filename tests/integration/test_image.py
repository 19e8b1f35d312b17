"""The container image, built for real and asked one question: small, without compiler or torch, as a user without
rights, on a read-only file system; and its roles apart.

Builds with podman on a base image from Debian's packages, so that no image registry is needed. Takes minutes: runs
with IMAGE_TEST=build; IMAGE_TEST=NAME asks an image that is there already.
CONTAINERS_CONF=deploy/image/containers.conf helps in virtual machines without systemd.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from benchmarks.server import free_port
from pipeline.settings import ROOT
from tests.conftest import RenderedPair, as_jpeg
from tests.integration.conftest import missing_models

BASE = "localhost/pillscope-base:bookworm"
IMAGE = "localhost/pillscope-test"
LIMIT_BYTES = 600_000_000
TOKEN = "token-between-the-containers"
READY_S = 400


def podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr[-2000:]}"
    return done.stdout.strip()


def reason_to_skip() -> str:
    """Why no image can be built here; empty where one can."""
    if "IMAGE_TEST" not in os.environ:
        return "takes minutes; IMAGE_TEST=build asks for it"
    if missing := [tool for tool in ("podman", "debootstrap") if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)} (apt install podman debootstrap runc netavark)"
    if os.getuid() != 0:
        return "debootstrap needs root"
    probe = subprocess.run(["podman", "info"], check=False, capture_output=True, text=True)
    return f"podman does not work here: {probe.stderr[-200:]}" if probe.returncode else missing_models()


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Name of the freshly built image; gone afterwards, but for its base."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    if (name := os.environ.get("IMAGE_TEST", "build")) != "build":
        yield name
        return
    subprocess.run([ROOT / "deploy" / "image" / "local_base.sh", BASE], check=True)
    environment = {**os.environ, "BUILDER": "podman", "BASE_IMAGE": BASE, "IMAGE": IMAGE}
    here = [f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.serve"]  # the packages of these tests, as they are
    subprocess.run(["make", "image", *here], cwd=ROOT, check=True, env=environment)
    (name,) = podman("images", "--format", "{{.Repository}}:{{.Tag}}", IMAGE).splitlines()
    yield name
    built = name.replace(IMAGE, f"{IMAGE}-built")
    subprocess.run(["podman", "rmi", "--force", name, built], check=False, capture_output=True)


@contextmanager
def running(image: str, *command: str, port: int, **variables: str) -> Iterator[str]:
    """Id of a container as the Kubernetes objects run it: root file system read only, no capability, only /tmp."""
    settings = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    locked = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--network", "host"]
    container = podman(
        "run", "--detach", *locked, *settings, image, *command, "--host", "127.0.0.1", "--port", str(port)
    )
    try:
        began = time.monotonic()
        while not is_ready(port):
            state = podman("inspect", "--format", "{{.State.Running}}", container)
            assert state == "true", logs(container)
            assert time.monotonic() - began < READY_S, logs(container)
            time.sleep(1)
        yield container
    finally:
        subprocess.run(["podman", "rm", "--force", "--time", "5", container], check=False, capture_output=True)


def logs(container: str) -> str:
    done = subprocess.run(["podman", "logs", "--tail", "40", container], check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_it_is_small_and_holds_no_compiler_and_no_torch(image: str) -> None:
    assert int(podman("image", "inspect", "--format", "{{.Size}}", image)) <= LIMIT_BYTES
    assert podman("image", "inspect", "--format", "{{.User}}", image) == "1034:1034"
    look = "command -v gcc cc make uv pip; python -c 'import torch' 2>/dev/null && echo torch; true"
    assert podman("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", look) == ""


def test_its_roles_answer_apart_as_a_user_without_rights(image: str, rendered_pair: RenderedPair) -> None:
    """The embedder in a container of its own, all else in another: one image, addressed by configuration."""
    common = {"PILLSCOPE_RUNNER_TOKEN": TOKEN, "PILLSCOPE_DEADLINE_S": "90", "PILLSCOPE_RUNNER_TIMEOUT_S": "40"}
    apart, port = free_port(), free_port()
    with running(
        image, "start-http-server", port=apart, BENTOML_SERVE_SERVICE_NAME="embedder", **common
    ) as embedder, running(
        image, "start-http-server", port=port, BENTOML_SERVE_DEPENDS=f"embedder=http://127.0.0.1:{apart}", **common
    ) as public:  # fmt: skip
        answer = requests.post(
            f"http://127.0.0.1:{port}/v1/identify", files={"front": as_jpeg(rendered_pair.front.image)}, timeout=120
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["missing"] == []
        assert answer.json()["candidates"][0]["item_id"] == "us-nih:93-576"
        assert requests.post(f"http://127.0.0.1:{apart}/embed", data=b"x", timeout=10).status_code == 401
        for container in (embedder, public):
            assert podman("exec", container, "id", "-u") == "1034"
            wrote = subprocess.run(["podman", "exec", container, "touch", "/app/x"], check=False, capture_output=True)
            assert wrote.returncode != 0
