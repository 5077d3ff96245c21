"""The program inside the sandbox: `python -m transcode.decoder PARENT_PID LIMITS_JSON`.

It loads its libraries, gives up what decoding does not need, and then turns requests on stdin into answers. The pool
decides about its life; the limits here end a picture that no library bound has ended.
"""

import math
import os
import resource
import sys
from typing import BinaryIO

import msgspec
import pyvips

from transcode.cage import die_with
from transcode.errors import Reason, UnprocessableMedia
from transcode.frames import Answer, Ready, Refused, Request, SandboxLimits, framed, read_request
from transcode.plan import Made
from transcode.variants import make_variants

_OPEN_FILES_MAX = 32
# Stderr is a file of the pool's; libvips may not spill pictures to disk.
_FILE_BYTES_MAX = 64 * 1024
_LOADERS = ("VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer")


def main() -> None:
    """Serve until stdin closes."""
    parent_pid, limits = int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=SandboxLimits)
    die_with(parent_pid)
    answers = os.fdopen(os.dup(1), "wb")
    # A library that prints must not write into the answers.
    os.dup2(2, 1)
    confine(limits)
    serve(sys.stdin.buffer, answers, limits)


def confine(limits: SandboxLimits) -> None:
    """Leave only two loaders, and bounds that a decoder cannot lift."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in _LOADERS:
        pyvips.operation_block_set(loader, False)
    # Pictures never repeat, so a cache of operations would only hold their memory.
    pyvips.cache_set_max(0)
    for bound, value in (
        (resource.RLIMIT_AS, limits.memory_bytes_max),
        (resource.RLIMIT_FSIZE, _FILE_BYTES_MAX),
        (resource.RLIMIT_NOFILE, _OPEN_FILES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(bound, (value, value))


def serve(requests: BinaryIO, answers: BinaryIO, limits: SandboxLimits) -> None:
    """Answer each request in turn."""
    _say(answers, Ready())
    while (request := read_request(requests)) is not None:
        _allow_cpu(limits.cpu_seconds_max)
        _say(answers, _answer(request, limits))


def _say(answers: BinaryIO, answer: Answer) -> None:
    answers.write(framed(answer))
    answers.flush()


def _answer(request: Request, limits: SandboxLimits) -> Made | Refused:
    try:
        made = make_variants(request.data, request.kind, limits.pixels_max)
    except UnprocessableMedia as refusal:
        return Refused(refusal.reason, refusal.diagnosis)
    if sum(len(data) for _, data in made.variants) > limits.output_bytes_max:
        return Refused(Reason.TOO_MUCH_OUTPUT, "")
    return made


def _allow_cpu(seconds: int) -> None:
    """The kernel counts a process's whole life, so the bound moves with each picture."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
