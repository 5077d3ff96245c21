"""A program that uploads a file and stands still once a few parts arrived: `ADDRESS USERNAME PASSWORD FILE NAME`.

It sends one part after the other. A part that breaks off would have s3proxy list no parts of the upload any more, and
the gateway begin it anew; S3 itself is not like that.
"""

import asyncio
import sys
import time
from pathlib import Path

from photolog.client import connect, uploads

PARTS_SENT = 3
_FOR_EVER_SECONDS = 3_600
_calls = 0


def _stand_still(sent_bytes: int, whole_bytes: int) -> None:
    global _calls
    _calls += 1
    if _calls == PARTS_SENT:
        print("stalled", flush=True)
        time.sleep(_FOR_EVER_SECONDS)


async def _send(address: str, username: str, password: str, file: str, name: str) -> None:
    async with connect(address) as client:
        await client.log_in(username, password)
        await client.upload(Path(file), progress=_stand_still, client_upload_id=name)


if __name__ == "__main__":
    uploads.PARALLEL_PARTS_MAX = 1
    asyncio.run(_send(*sys.argv[1:]))
