"""Where this worker is reached."""

import os
import socket
import sys


def listening_address() -> str | None:
    """IP address this BentoML worker listens on; None for a unix socket or outside a worker.

    The supervisor opens the socket and hands its number over as `--fd`.
    """
    if "--fd" not in sys.argv[:-1]:
        return None
    number = int(sys.argv[sys.argv.index("--fd") + 1])
    with socket.socket(fileno=os.dup(number)) as listener:
        if listener.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        return str(listener.getsockname()[0])
