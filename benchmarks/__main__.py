"""`python -m benchmarks NAME --data DIR`: measures, prints a table and writes it to benchmarks/results/."""

import importlib
import sys

COMMANDS = {
    name: f"benchmarks.{name}" for name in ("accuracy", "bulk", "faults", "imprint", "index_scale", "scaling", "speed")
}


def main() -> None:
    """Hand the rest of the command line to the module that the first word names."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"{__doc__}\n\nNAME: {', '.join(COMMANDS)}; each explains itself with --help", file=sys.stderr)
        sys.exit(0 if sys.argv[1:2] in (["-h"], ["--help"]) else 2)
    importlib.import_module(COMMANDS[sys.argv[1]]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
