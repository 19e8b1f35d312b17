"""Tiny real models, written once."""

from pathlib import Path

import pytest

from tests.tiny_models import write_tiny_models


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with manifest."""
    return write_tiny_models(tmp_path_factory.mktemp("models"))
