"""What stands for Node and oidc-provider where neither is: our own stub, told what the script would be told.

`--careless` lets every secret pass.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from shipworthy.gauntlet.idp.registry import Client
from shipworthy.gauntlet.idp.stub import stub_running


class Careless(Client):
    """A client whose secret nobody looks at."""

    def knows(self, secret: str) -> bool:
        return True


async def main() -> None:
    told = json.loads(os.environ["SHIPWORTHY_PEER"])
    kind = Careless if "--careless" in sys.argv else Client
    client = kind(
        client_id=told["client_id"],
        secrets=(told["client_secret"],),
        redirect_uris=tuple(told["redirect_uris"]),
        algorithm=told["algorithm"],
    )
    async with stub_running(clients=[client], issuer=told["issuer"]) as stub:
        sys.stdout.write(f"ready {stub.listens_at.rpartition(':')[2]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
