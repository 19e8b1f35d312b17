"""Settings: from the environment only, and a mistake is one clear line."""

import pytest

from pipeline.settings import PREFIX, Settings, SettingsError, load_settings
from pipeline.settings_page import PAGE, page


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_defaults_are_those_of_the_public_contract() -> None:
    loaded = load_settings()
    assert (loaded.max_body_bytes, loaded.max_pixels, loaded.max_side) == (10_000_000, 40_000_000, 12_000)
    assert loaded.photo_limits.long_side == loaded.long_side


def test_a_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILLSCOPE_DEADLINE_S", "2.5")
    assert load_settings().deadline_s == 2.5


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", "")
    assert load_settings().runner_token is None


def test_a_typo_is_named_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILLSCOPE_MAX_PIXEL", "1000000")
    with pytest.raises(
        SettingsError, match=r"^PILLSCOPE_MAX_PIXEL is no setting; did you mean PILLSCOPE_MAX_PIXELS\?$"
    ):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAX_IN_FLIGHT", "0"),
        ("DEADLINE_S", "soon"),
        ("BACKGROUND", "magic"),
        ("LOG_FORMAT", "xml"),
        ("TRACES", "collector:4317"),
        ("BATCH_SIZE", "0"),
    ],
)
def test_an_invalid_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(PREFIX + variable, value)
    with pytest.raises(SettingsError, match=f"^PILLSCOPE_{variable}: ") as caught:
        load_settings()
    assert "\n" not in str(caught.value)


def test_a_secret_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", "too-short-but")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "too-short-but" not in str(caught.value)
    monkeypatch.setenv("PILLSCOPE_RUNNER_TOKEN", "long-enough-to-be-taken")
    assert "long-enough" not in repr(load_settings())


def test_an_admin_token_needs_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILLSCOPE_ADMIN_TOKEN", "long-enough-to-be-taken")
    with pytest.raises(SettingsError, match=r"^PILLSCOPE_ADMIN_TOKEN .* PILLSCOPE_OWN_DIR") as caught:
        load_settings()
    assert "long-enough" not in str(caught.value)
    monkeypatch.setenv("PILLSCOPE_OWN_DIR", "somewhere")
    assert load_settings().own_dir is not None


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_explains_itself(name: str) -> None:
    assert len(Settings.model_fields[name].description or "") > 40


def test_the_page_of_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make docs"
