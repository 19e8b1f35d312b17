"""What the cluster gets is valid, and keeps the promises that docs/operations.md makes."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.settings import ROOT, Settings
from tests.deploy.manifests import KUBERNETES, OVERLAYS, Object, build, container, of_kind, pod, rendered

RUNNERS = {"detector", "background", "classifier", "embedder", "ocr"}
VERSIONS = ("1.30", "1.33")
"""The oldest and a recent minor version that the schemas are checked against."""

overlays = pytest.mark.parametrize("overlay", OVERLAYS)


@pytest.mark.parametrize("version", VERSIONS)
@overlays
def test_every_object_is_valid(overlay: str, version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate")
    for item in rendered(overlay):
        validator.validate(item, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pod_that_writes_an_index_is_valid_and_mounts_the_claim(version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate")
    folder = KUBERNETES / "components" / "index-volume"
    writer, claim = (yaml.safe_load((folder / f"{name}.yaml").read_text()) for name in ("writer", "claim"))
    validator.validate(writer, version, strict=True)
    validator.validate(claim, version, strict=True)
    (volume,) = writer["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_validator_does_refuse() -> None:
    validator = pytest.importorskip("kubernetes_validate")
    wrong = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"replicaz": 1}}
    with pytest.raises(validator.ValidationError):
        validator.validate(wrong, VERSIONS[0], strict=True)


@overlays
def test_each_role_is_a_deployment_of_the_one_image(overlay: str) -> None:
    deployments = of_kind(rendered(overlay), "Deployment")
    assert set(deployments) == {f"{name}-runner" for name in RUNNERS} | {"public"}
    assert len({container(deployment)["image"] for deployment in deployments.values()}) == 1
    for name in RUNNERS:  # the role is the label, handed down as a variable
        template = deployments[f"{name}-runner"]["spec"]["template"]
        assert template["metadata"]["labels"]["app.kubernetes.io/component"] == name
        (role,) = [
            e for e in container(deployments[f"{name}-runner"])["env"] if e["name"] == "BENTOML_SERVE_SERVICE_NAME"
        ]
        assert role["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['app.kubernetes.io/component']"


@overlays
def test_the_public_service_knows_every_runner_by_a_service_that_exists(overlay: str) -> None:
    objects = rendered(overlay)
    services = of_kind(objects, "Service")
    environment = {e["name"]: e.get("value") for e in container(of_kind(objects, "Deployment")["public"])["env"]}
    depends = dict(pair.split("=") for pair in environment["BENTOML_SERVE_DEPENDS"].split())
    assert set(depends) == RUNNERS
    for url in depends.values():
        name, port = re.fullmatch(r"http://([\w-]+):(\d+)", url).groups()
        assert services[name]["spec"]["ports"][0]["port"] == int(port)


@overlays
def test_services_autoscalers_and_budgets_meet_their_pods(overlay: str) -> None:
    objects = rendered(overlay)
    deployments = of_kind(objects, "Deployment")
    labels = {name: item["spec"]["template"]["metadata"]["labels"] for name, item in deployments.items()}
    for kind, selector in (
        ("Service", lambda i: i["spec"]["selector"]),
        ("PodDisruptionBudget", lambda i: i["spec"]["selector"]["matchLabels"]),
    ):
        for name, item in of_kind(objects, kind).items():
            met = [other for other, found in labels.items() if selector(item).items() <= found.items()]
            assert met == [name], kind
    assert {a["spec"]["scaleTargetRef"]["name"] for a in of_kind(objects, "HorizontalPodAutoscaler").values()} == set(
        deployments
    )
    for item in deployments.values():
        assert item["spec"]["selector"]["matchLabels"].items() <= item["spec"]["template"]["metadata"]["labels"].items()
        assert "replicas" not in item["spec"]  # else every apply would undo the autoscaler


@overlays
def test_pods_are_locked_in(overlay: str) -> None:
    for deployment in of_kind(rendered(overlay), "Deployment").values():
        assert pod(deployment)["securityContext"]["runAsNonRoot"] is True
        assert pod(deployment)["automountServiceAccountToken"] is False
        assert container(deployment)["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert set(container(deployment)["resources"]) == {"requests", "limits"}


@overlays
def test_only_the_public_service_and_prometheus_reach_a_runner(overlay: str) -> None:
    objects = rendered(overlay)
    policy = of_kind(objects, "NetworkPolicy")["runners"]["spec"]
    assert policy["podSelector"]["matchLabels"] == {"pillscope.io/role": "runner"}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert not policy.get("egress")
    ((public, monitoring),) = [rule["from"] for rule in policy["ingress"]]
    assert public == {"podSelector": {"matchLabels": {"pillscope.io/role": "public"}}}
    assert set(monitoring) == {"namespaceSelector"}
    roles = {
        n: d["spec"]["template"]["metadata"]["labels"]["pillscope.io/role"]
        for n, d in of_kind(objects, "Deployment").items()
    }
    assert roles == {f"{name}-runner": "runner" for name in RUNNERS} | {"public": "public"}
    assert {s["spec"].get("type", "ClusterIP") for s in of_kind(objects, "Service").values()} == {"ClusterIP"}


@overlays
def test_the_token_comes_from_a_secret_and_none_is_in_the_files(overlay: str) -> None:
    objects = rendered(overlay)
    assert not of_kind(objects, "Secret")
    for deployment in of_kind(objects, "Deployment").values():
        sources = [source.get("secretRef", {}).get("name") for source in container(deployment)["envFrom"]]
        assert "pillscope-runner-token" in sources


@overlays
def test_a_pod_that_ends_has_time_to(overlay: str) -> None:
    default = {name: field.default for name, field in Settings.model_fields.items()}
    for name, deployment in of_kind(rendered(overlay), "Deployment").items():
        _, waits = container(deployment)["lifecycle"]["preStop"]["exec"]["command"]
        longest = default["deadline_s"] if name == "public" else default["runner_timeout_s"]
        assert pod(deployment)["terminationGracePeriodSeconds"] > int(waits) + longest
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@overlays
def test_a_missing_runner_does_not_take_the_public_service_down(overlay: str) -> None:
    public = container(of_kind(rendered(overlay), "Deployment")["public"])
    assert public["startupProbe"]["httpGet"]["path"] == "/readyz"  # once: every runner was reached
    assert public["readinessProbe"]["httpGet"]["path"] == "/livez"
    assert public["livenessProbe"]["httpGet"]["path"] == "/livez"


@overlays
def test_every_setting_in_the_files_exists(overlay: str) -> None:
    known = {f"PILLSCOPE_{name.upper()}" for name in Settings.model_fields}
    maps = of_kind(rendered(overlay), "ConfigMap").values()
    used = {name for item in maps for name in item["data"]}
    assert used <= known
    assert "PILLSCOPE_RUNNER_TOKEN" in known


def production_with(component: str, tmp_path: Path) -> list[Object]:
    """The production overlay with one of the components it shows switched on."""
    copy = shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    file = copy / "overlays" / "production" / "kustomization.yaml"
    lines = file.read_text().splitlines()
    assert any(line.startswith(f"#   - ../../components/{component}") for line in lines)  # the overlay shows how
    shown = [
        line.removeprefix("# ") if line == "# components:" or f"components/{component} " in line else line
        for line in lines
    ]
    file.write_text("\n".join(shown) + "\n")
    return build(file.parent)


def test_an_index_on_a_volume(tmp_path: Path) -> None:
    objects = production_with("index-volume", tmp_path)
    public = of_kind(objects, "Deployment")["public"]
    assert {"name": "indexes", "mountPath": "/indexes", "readOnly": True} in container(public)["volumeMounts"]
    (own,) = [item for name, item in of_kind(objects, "ConfigMap").items() if name.startswith("settings-public")]
    assert own["data"]["PILLSCOPE_INDEX_DIR"] == "/indexes/current"


def test_an_index_from_a_bucket_is_fetched_checked_and_only_then_served(tmp_path: Path) -> None:
    validator = pytest.importorskip("kubernetes_validate")
    objects = production_with("index-from-store", tmp_path)
    for item in objects:
        validator.validate(item, VERSIONS[0], strict=True)
    public = of_kind(objects, "Deployment")["public"]
    fetch, check = pod(public)["initContainers"]
    assert check["image"] == container(public)["image"]  # the one image
    assert check["command"][:4] == ["python", "-m", "index", "unpack"]
    (settings,) = [item for name, item in of_kind(objects, "ConfigMap").items() if name.startswith("index-store")]
    assert check["command"][-1] == settings["data"]["PILLSCOPE_INDEX_DIR"]
    assert fetch["args"][-1] == check["command"][4]
    secrets = {source["secretRef"]["name"] for source in fetch["envFrom"] if "secretRef" in source}
    assert secrets == {"pillscope-index-store"}  # no key is in the files
    for one in (fetch, check):
        assert one["securityContext"]["readOnlyRootFilesystem"]
        assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_image_tags_are_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    for overlay in OVERLAYS:
        (image,) = yaml.safe_load((KUBERNETES / "overlays" / overlay / "kustomization.yaml").read_text())["images"]
        assert image["newTag"] == version
    assert f"pillscope:{version}" in (ROOT / "deploy" / "compose.yaml").read_text()
