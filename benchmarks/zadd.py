"""The opponent of the fan-out benchmark: ZADD over random keys, sixteen commands in a pipeline, fifty connections.

It is redis-benchmark (or valkey-benchmark) where the machine has one. Elsewhere this module does the same from a
process of its own, with ready bytes: `python -m benchmarks.zadd PORT COMMANDS KEYS PREFIX`, the rate on its output.
"""

import random
import re
import shutil
import socket
import subprocess
import sys
import time

CONNECTIONS = 50
PIPELINE = 16
_SCORE = 1_900_000_000_000


def tool() -> str | None:
    """The program of the server's own makers, where there is one."""
    return shutil.which("valkey-benchmark") or shutil.which("redis-benchmark")


def name() -> str:
    """What measures on this machine."""
    found = tool()
    return f"{found.rpartition('/')[2] if found else 'a raw client'}, ZADD -P {PIPELINE} over random keys"


def key(number: int, prefix: str = "set") -> bytes:
    """A key that the load adds to."""
    return b"%b:%012d" % (prefix.encode(), number)


def rate(port: int, commands: int, keys: int, prefix: str = "set") -> float:
    """ZADDs a second of members of 16 bytes to the sets `prefix:0…keys`, each with the same high score."""
    found = tool()
    words = [f"{prefix}:__rand_int__", str(_SCORE), "post__rand_int__"]
    if found is None:
        command = [sys.executable, "-m", "benchmarks.zadd", str(port), str(commands), str(keys), prefix]
        return float(_output(command))
    options = ["-p", str(port), "-n", str(commands), "-r", str(keys), "-P", str(PIPELINE), "-c", str(CONNECTIONS), "-q"]
    answer = re.findall(r"([\d.]+) requests per second", _output([found, *options, "ZADD", *words]))
    return float(answer[-1])


def _output(command: list[str]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300, text=True).stdout


def _main(port: int, commands: int, keys: int, prefix: str) -> None:
    drawn = random.Random(7)
    batches = [
        b"".join(_packed(key(drawn.randrange(keys), prefix), drawn.randrange(keys)) for _ in range(PIPELINE))
        for _ in range(commands // PIPELINE)
    ]
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for first in range(0, len(batches), CONNECTIONS):
        sent = list(zip(sockets, batches[first : first + CONNECTIONS], strict=False))
        for connection, batch in sent:
            connection.sendall(batch)
        for connection, _ in sent:
            answers = 0
            while answers < PIPELINE:
                answers += connection.recv(65_536).count(b"\n")
    print(len(batches) * PIPELINE / (time.perf_counter() - started))
    for connection in sockets:
        connection.close()


def _packed(name_of_set: bytes, member: int) -> bytes:
    words = (b"ZADD", name_of_set, b"%d" % _SCORE, b"post%012d" % member)
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
