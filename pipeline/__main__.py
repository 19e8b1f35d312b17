"""`python -m pipeline identify front.jpg [back.jpg]`: the whole walk in one process, without a server.

A composition root like `service.py`: the one module of this package that reaches for runners and index.
"""

import argparse
import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import PillscopeError
from pipeline.identify import Pipeline
from pipeline.photo import read_photo
from pipeline.ranking import RankingWeights
from pipeline.schemas import Hints, Versions
from pipeline.settings import SettingsError, settings


def load_pipeline() -> Pipeline:
    """The pipeline with the models and the index that the settings name, all in this process."""
    from index.search import LoadedIndex  # noqa: PLC0415
    from runners.local import load_local_runners  # noqa: PLC0415
    from runners.session import model_versions  # noqa: PLC0415

    chosen = settings()
    gallery = LoadedIndex(chosen.index_dir)
    return Pipeline(
        load_local_runners(chosen.models_dir, background=chosen.background),
        gallery,
        Versions(
            bundle=version("pillscope"),
            models=model_versions(chosen.models_dir, chosen.background),
            index=gallery.version,
            catalogs=gallery.catalogs,
        ),
        RankingWeights.load(chosen.ranking),
    )


def main() -> int:
    """Print the answer as JSON, the same as `/v1/identify` gives; 1 and one line on stderr when it fails."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    identify = commands.add_parser("identify", help="one pill, one or two photos")
    identify.add_argument("front", type=Path)
    identify.add_argument("back", type=Path, nargs="?")
    identify.add_argument("--catalogs", help="comma-separated ids; default all")
    identify.add_argument("--top-k", type=int, default=5)
    identify.add_argument("--imprint", help="what you read on it")
    detect = commands.add_parser("detect", help="every pill in a photo")
    detect.add_argument("photo", type=Path)
    detect.add_argument("--identify", action="store_true")
    arguments = parser.parse_args()
    try:
        pipeline = load_pipeline()
        if arguments.command == "detect":
            photo = read_photo(arguments.photo.read_bytes())
            answer = asyncio.run(pipeline.detect(photo, identify=arguments.identify)).model_dump()
        else:
            photos = [read_photo(path.read_bytes()) for path in (arguments.front, arguments.back) if path]
            answer = asyncio.run(
                pipeline.identify(
                    *photos,
                    catalogs=arguments.catalogs.split(",") if arguments.catalogs else None,
                    top_k=arguments.top_k,
                    hints=Hints(imprint=arguments.imprint),
                )
            ).model_dump()
    except (PillscopeError, SettingsError, OSError) as error:
        print(f"pillscope: {error}", file=sys.stderr)
        return 1
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
