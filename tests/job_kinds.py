"""Work for other processes to do, of every kind that goes wrong; importing it costs nothing."""

import os
import signal
import time
from pathlib import Path

from posture.errors import SourceError


def square(item, report):
    report(item)
    return item * item


def work(item, report):
    """Do what `item`, a kind and whatever it needs, says."""
    kind, *rest = item
    match kind:
        case "fine":
            return os.getpid()
        case "bad":
            raise SourceError(f"{rest[0]}: cannot be read")
        case "wrong":
            raise ZeroDivisionError("by zero\nand more")
        case "memory":
            raise MemoryError
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "killed once":  # a file tells that it has been
            if not Path(rest[0]).exists():
                Path(rest[0]).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return "well"
        case "unpicklable":
            return lambda: None
        case "slow":  # until it is killed; what it writes tells who does it
            Path(rest[0], str(os.getpid())).touch()
            report("going")
            while True:
                time.sleep(60)
        case "greedy":  # with 0.6 GB, until it is killed for it
            taken = os.urandom(1_000) * 600_000
            time.sleep(60)
            return len(taken)
        case "reporting":  # until nobody wants it any more, which a file tells
            try:
                while True:
                    report("going")
                    time.sleep(0.01)
            finally:
                Path(rest[0]).touch()
        case "environment":
            return {name: value for name, value in os.environ.items() if name in rest[0]}
    raise AssertionError(kind)
