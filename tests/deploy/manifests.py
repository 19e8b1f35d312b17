"""The Kubernetes objects as a cluster gets them, rendered by the real kustomize where there is one."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())
Object = dict[str, Any]


@cache
def rendered(overlay: str) -> list[Object]:
    """All objects of an overlay. Skips without `kustomize` and `kubectl`."""
    return build(KUBERNETES / "overlays" / overlay)


def build(folder: Path) -> list[Object]:
    if tool := shutil.which("kustomize"):
        command = [tool, "build"]
    elif tool := shutil.which("kubectl"):
        command = [tool, "kustomize"]
    else:
        pytest.skip("neither kustomize nor kubectl is installed")
    text = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def of_kind(objects: list[Object], kind: str) -> dict[str, Object]:
    """Objects of a kind by name."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pod(deployment: Object) -> Object:
    return deployment["spec"]["template"]["spec"]


def container(deployment: Object) -> Object:
    (only,) = pod(deployment)["containers"]
    return only
