"""`python -m training MODEL --config configs/MODEL.yaml --data DIR`: trains one model, resuming where it stopped."""

import importlib
import sys

COMMANDS = {
    "detector": "training.detector",
    "background": "training.background",
    "verdict": "training.verdict",
    "classifier": "training.classifier",
    "embedder": "training.embedder",
    "embedder_finish": "training.embedder_finish",
    "finder": "training.finder",
    "reader": "training.reader",
    "whole_face": "training.whole_face",
    "confusions": "training.confusions",
    "gallery": "training.gallery_faces",
    "ranking": "training.ranking",
    "render": "training.render_cli",
}


def main() -> None:
    """Hand the rest of the command line to the module that the first word names."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"{__doc__}\n\nMODEL: {', '.join(COMMANDS)}; each explains itself with --help", file=sys.stderr)
        sys.exit(0 if sys.argv[1:2] in (["-h"], ["--help"]) else 2)
    importlib.import_module(COMMANDS[sys.argv[1]]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
