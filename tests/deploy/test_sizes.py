"""The sizes in the deployment files are those that were measured: `python -m benchmarks roles`."""

import re

import pytest
import yaml

from benchmarks.report import RESULTS
from benchmarks.roles import AIM
from pipeline.settings import ROOT
from tests.deploy.manifests import OVERLAYS, container, of_kind, rendered

UNITS = {"m": 2**20, "Mi": 2**20, "Gi": 2**30}


def measured() -> dict[str, float]:
    """Bytes that each role held, from the result table."""
    rows = re.findall(r"^\| (\w+) \| (\d+) \| \d+ \|", (RESULTS / "roles.md").read_text(), re.M)
    return {name: float(megabytes) * 1e6 for name, megabytes in rows}


def size(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()
    return float(number) * UNITS[unit]


def test_the_table_has_every_role() -> None:
    assert set(measured()) == {"detector", "background", "classifier", "embedder", "ocr", "public"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_asks_for_what_its_role_holds_and_may_have_twice_that(overlay: str) -> None:
    deployments = of_kind(rendered(overlay), "Deployment")
    for role, held in measured().items():
        resources = container(deployments["public" if role == "public" else f"{role}-runner"])["resources"]
        asked, most = (size(resources[kind]["memory"]) for kind in ("requests", "limits"))
        assert held <= asked <= 1.6 * held, role
        assert most >= 1.9 * held, role


def test_the_autoscaler_acts_where_the_table_says() -> None:
    objects = rendered("production")
    for name, scaler in of_kind(objects, "HorizontalPodAutoscaler").items():
        percent = scaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]
        cores = container(of_kind(objects, "Deployment")[name])["resources"]["requests"]["cpu"]
        assert percent / 100 * int(cores.removesuffix("m")) / 1000 == pytest.approx(AIM)


def test_containers_of_one_host_may_have_twice_what_their_role_holds() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    for role, held in measured().items():
        assert size(services[role]["mem_limit"]) >= 1.9 * held, role
