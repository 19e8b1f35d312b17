"""What the commands that need the pill data are told on the command line."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path


def add_models(parser: argparse.ArgumentParser) -> None:
    """`--models`: Path of the folder whose detector and background remover cut the photos out, None = the shipped."""
    parser.add_argument("--models", type=Path, default=None, help="folder with detector and background remover to cut "
                        "photos out with, in place of the shipped ones")  # fmt: skip


def parse_with_data(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The parsed line with `data`: Path of the data folder. Ends the program with a usage line where none is named."""
    parser.add_argument("--data", type=Path, default=os.environ.get("PILLSCOPE_DATA"), help="folder with the pill data")
    arguments = parser.parse_args(argv)
    if arguments.data is None:
        parser.error("name the folder with the data: --data DIR or PILLSCOPE_DATA (see README, section Data)")
    return arguments
