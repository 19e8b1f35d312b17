"""Whatever the OpenAPI file allows, and much that it does not: no 5xx, no answer that it does not describe."""

from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

import service
from api.front_door import FrontDoor
from api.operations import Operations
from pipeline.settings import Settings
from tests.fakes import VERSIONS, FakeAdditions, FakePipeline
from tests.test_service import nothing_unready

TOKEN = "the-token-of-this-test"
SETTINGS = Settings(own_dir=Path("unused"), admin_token=TOKEN)
schema = schemathesis.openapi.from_dict(service.api.openapi())
schema.app = FrontDoor(Starlette(), api=service.api, settings=SETTINGS)


@pytest.fixture(autouse=True)
def _backend(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = service.api.state.backend
    monkeypatch.setattr(backend, "operations", Operations(FakePipeline(), VERSIONS.catalogs, SETTINGS, FakeAdditions()))
    monkeypatch.setattr(backend, "unready", nothing_unready)


@schema.parametrize()
@hypothesis.settings(max_examples=60, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
def test_every_answer_is_described(case: schemathesis.Case) -> None:
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
