"""Stands in for a decoder that a picture has broken: each picture's bytes are the order that it carries out."""

import os
import signal
import sys
import time

from tests.unit.transcode.pictures import PRINTS
from transcode.errors import Reason
from transcode.frames import Ready, Refused, framed, read_request
from transcode.plan import Made, variant_plan


def main() -> None:
    say(framed(Ready()))
    pictures = 0
    while (request := read_request(sys.stdin.buffer)) is not None:
        pictures += 1
        obey(request.data.decode(), pictures)


def obey(order: str, pictures: int) -> None:
    match order.split():
        case ["make"]:
            say(framed(Made(20, 10, tuple((one, b"x") for one in variant_plan(20, 10)), PRINTS)))
        case ["crash"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["crash-if-used"] if pictures > 1:
            os.abort()
        case ["crash-if-used"]:
            obey("make", pictures)
        case ["exit"]:
            sys.exit(0)
        case ["out-of-cpu"]:
            os.kill(os.getpid(), signal.SIGXCPU)
        case ["hang"]:
            time.sleep(60)
        case ["late", seconds]:
            time.sleep(float(seconds))
            say(framed(Refused(Reason.DAMAGED, "late")))
        case ["half"]:
            say((1_000).to_bytes(4, "big") + b"half an answer")
            os.abort()
        case ["flood"]:
            say((2**32 - 1).to_bytes(4, "big") + b"\0" * 3_000_000)
        case ["garbage"]:
            say((40).to_bytes(4, "big") + os.urandom(40))
        case ["unplanned"]:
            say(framed(Made(4000, 3000, tuple((one, b"x") for one in variant_plan(20, 10)), PRINTS)))
        case ["ready"]:
            say(framed(Ready()))
        case ["environment"]:
            names = ",".join(name for name in os.environ if name.startswith("PHOTOLOG"))
            say(framed(Refused(Reason.DAMAGED, f"[{names}]")))


def say(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
