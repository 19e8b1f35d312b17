"""`python -m benchmarks NAME --data DIR`: measures, prints a table and writes it to benchmarks/results/."""

import importlib
import sys

NAMES = (
    "accuracy", "batching", "bulk", "detection", "faults", "fusion", "imprint", "index_scale", "no_imprint",
    "retrieval", "roles", "scaling", "speed",
)  # fmt: skip
COMMANDS = {name: f"benchmarks.{name}" for name in NAMES}
COMMANDS |= {
    "backbones": "benchmarks.backbones", "losses": "benchmarks.embedding_losses", "head_study": "benchmarks.head_study",
    "failures": "benchmarks.failures",
    "views": "benchmarks.view_statistics",
}  # fmt: skip


def main() -> None:
    """Hand the rest of the command line to the module that the first word names."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"{__doc__}\n\nNAME: {', '.join(COMMANDS)}; each explains itself with --help", file=sys.stderr)
        sys.exit(0 if sys.argv[1:2] in (["-h"], ["--help"]) else 2)
    importlib.import_module(COMMANDS[sys.argv[1]]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
