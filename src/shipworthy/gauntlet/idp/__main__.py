"""The stub in a process of its own. Says where it is in one JSON line, then serves until it is ended."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys

from shipworthy.gauntlet.idp.control import Control
from shipworthy.gauntlet.idp.keys import Algorithm
from shipworthy.gauntlet.idp.registry import Client, seeded_people
from shipworthy.gauntlet.idp.stub import stub_running
from shipworthy.gauntlet.idp.web import Listener


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m shipworthy.gauntlet.idp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the provider; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0, help="of the control; 0 takes a free one")
    parser.add_argument("--people", type=int, default=10, help="how many can sign in")
    parser.add_argument("--seed", default="shipworthy", help="the same seed, the same people")
    parser.add_argument("--client", default="app", help="client id of the app")
    parser.add_argument("--secret", default="", help="its secret; without one it is a public client")
    parser.add_argument(
        "--redirect", action="append", default=[], help="a redirect_uri it may use; repeatable"
    )
    parser.add_argument("--algorithm", choices=("ES256", "RS256"), default="ES256")
    try:
        asyncio.run(_serve(parser.parse_args()))
    except OSError as refused:
        sys.exit(f"the stub could not listen: {refused}")


async def _serve(arguments: argparse.Namespace) -> None:
    algorithm: Algorithm = arguments.algorithm
    client = Client(
        client_id=arguments.client,
        secrets=(arguments.secret,) if arguments.secret else (),
        redirect_uris=tuple(arguments.redirect),
        algorithm=algorithm,
    )
    people = seeded_people(arguments.people, seed=arguments.seed)
    async with stub_running(clients=[client], people=people, port=arguments.port) as stub:
        secret = secrets.token_urlsafe(24)
        control = Listener(Control(stub, secret).answer)
        await control.open(arguments.control_port)
        try:
            said = {
                "issuer": stub.issuer,
                "control": control.url,
                "secret": secret,
                "client_id": client.client_id,
            }
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            await _until_ended()
        finally:
            control.close()


async def _until_ended() -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()


if __name__ == "__main__":
    main()
