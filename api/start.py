"""The settings of this process, or its end with one line that says which is wrong. Read before anything else."""

import sys
from typing import Final

from pipeline.settings import Settings, SettingsError, settings


def _settings_or_exit() -> Settings:
    try:
        return settings()
    except SettingsError as mistake:
        sys.exit(f"pillscope: {mistake}")


SETTINGS: Final = _settings_or_exit()
