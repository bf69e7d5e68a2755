"""`make proof NAME=oidc-peer`: a whole app signs people in through npm's oidc-provider, whose keys are replaced under way.

Our own stub proves what happens when a provider misbehaves; this one, which others wrote and the OpenID
Foundation certified, proves that we understand one that behaves. Everything goes over sockets, with the
provider's own sign-in and consent pages. Loopback only; about a minute.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.app import running_app
from benchmarks.peers import npm_locked_peer
from benchmarks.report import Report, publish, show_table
from shipworthy.contract.target import Handle
from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.idp.peer.running import SERVER, LostAtPeer, through, told, words_of
from shipworthy.local.ports import free_port

SECRET = secrets.token_urlsafe(24)
COOLDOWN_S = 30  # the app looks for a key it does not know at most this often (rooms/auth/oauth/keys.py)
_HERE = Path(__file__).parent


def main() -> None:
    """Go through every scene, print what came of each, and publish the counts."""
    folder = npm_locked_peer("oidc-peer", _HERE)
    if folder is None:
        publish(
            Report(name="oidc-peer", figures={"scenes": None}, valid=False, notes=("npm is not to be had",))
        )
        return
    port = free_port()
    settings = f'[auth.providers.peer]\nclient_id = "shipworthy"\nissuer = "http://127.0.0.1:{port}"\nlabel = "Peer"\n'
    env = {"SHIPWORTHY_OAUTH_PEER_SECRET": SECRET}
    with running_app(rooms="auth", seed="demo", settings=settings, env=env) as app:
        stage = Stage(folder, port, app.handle)
        try:
            stage.start_provider()
            outcomes = [(title, asyncio.run(_told(scene, stage))) for title, scene in SCENES]
        finally:
            stage.stop_provider()
    show_table("sign-in through oidc-provider 9.13.3", ("scene", "outcome"), outcomes)
    passed = sum(outcome == "as it should" for _, outcome in outcomes)
    publish(Report(name="oidc-peer", figures={"scenes": len(outcomes), "passed": passed}))
    raise SystemExit(0 if passed == len(outcomes) else 1)


class Stage:
    """The app, and the provider whenever a scene wants it."""

    def __init__(self, folder: Path, port: int, handle: Handle) -> None:
        self._folder, self._port = folder, port
        self.app_url = handle.base_url
        self.owner, self.other = handle.tenants
        self.issuer = f"http://127.0.0.1:{port}"
        self._node: subprocess.Popen[str] | None = None

    def start_provider(self) -> None:
        """Start the provider, at the same address as the one before and with keys of its own."""
        redirects = [f"{self.app_url}/oauth/peer/callback"]
        env = told(
            self._folder,
            issuer=self.issuer,
            client_id="shipworthy",
            secret=SECRET,
            redirects=redirects,
            port=self._port,
        )
        self._node = subprocess.Popen(
            ["node", str(SERVER)], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._node.stdout is not None
        if not self._node.stdout.readline().startswith("ready"):
            raise RuntimeError("oidc-provider did not start")

    def stop_provider(self) -> None:
        if self._node is not None:
            self._node.kill()
            self._node.communicate()
            self._node = None

    async def sign_in(self, browser: HttpSession, person: str) -> str:
        """Go to the provider, through its pages, and back; return where the app leads."""
        start = await browser.get("/oauth/peer")
        return await self.come_back(browser, start.header("location"), person)

    async def come_back(self, browser: HttpSession, address: str, person: str) -> str:
        theirs = HttpSession(self.issuer)
        try:
            back = await through(theirs, self.issuer, address, person)
        finally:
            await theirs.close()
        answer = await browser.get(back)
        assert answer.status == 303, f"the app answered {answer.status}: {words_of(answer.text)}"
        return answer.header("location")

    async def session_of_owner(self) -> HttpSession:
        browser = HttpSession(self.app_url)
        form = {"email": self.owner.email, "password": self.owner.password}
        answer = await browser.request("POST", "/login", form=form)
        assert answer.status == 303, f"the owner cannot sign in: {answer.status}"
        return browser


async def a_new_person_gets_an_account_and_comes_back_to_it(stage: Stage) -> None:
    for _ in range(2):
        browser = HttpSession(stage.app_url)
        await stage.sign_in(browser, "ada@peer.example")
        account = await browser.get("/account")
        assert "ada@peer.example" in account.text, words_of(account.text)
        await browser.close()


async def keys_replaced_without_overlap_cost_nobody_a_sign_in(stage: Stage) -> None:
    for number in range(2):
        if number:
            await asyncio.sleep(COOLDOWN_S + 1)
        stage.stop_provider()
        stage.start_provider()
        browser = HttpSession(stage.app_url)
        await stage.sign_in(browser, f"rotated-{number}@peer.example")
        await browser.close()


async def somebody_signed_in_links_the_provider_and_comes_in_through_it(stage: Stage) -> None:
    owner = await stage.session_of_owner()
    left = await owner.request("POST", "/account/identities/peer", json_body={})
    assert left.status == 200, f"linking answered {left.status}: {words_of(left.text)}"
    await stage.come_back(owner, left.json["location"], "ada-at-work@peer.example")
    assert "ada-at-work@peer.example" in (await owner.get("/account")).text, "it is not shown as linked"
    other = HttpSession(stage.app_url)
    await stage.sign_in(other, "ada-at-work@peer.example")
    assert stage.owner.email in (await other.get("/account")).text, "it opened another account"
    await asyncio.gather(owner.close(), other.close())


async def an_address_that_has_an_account_is_proven_before_it_is_linked(stage: Stage) -> None:
    browser = HttpSession(stage.app_url)
    assert await stage.sign_in(browser, stage.other.email) == "/login/proof", "no proof was asked for"
    assert (await browser.get("/account")).status == 303, "it was let in without a proof"
    proven = await browser.request("POST", "/login/proof", form={"password": stage.other.password})
    assert proven.status == 303, words_of(proven.text)
    assert stage.other.email in (await browser.get("/account")).text, "it opened another account"
    await browser.close()


async def a_code_that_comes_back_twice_or_in_another_browser_signs_nobody_in(stage: Stage) -> None:
    browser, theirs, thief = HttpSession(stage.app_url), HttpSession(stage.issuer), HttpSession(stage.app_url)
    start = (await browser.get("/oauth/peer")).header("location")
    back = await through(theirs, stage.issuer, start, "bob@peer.example")
    statuses = [(await who.get(back)).status for who in (thief, browser, thief)]
    assert statuses == [403, 303, 403], f"answered {statuses}"
    await asyncio.gather(browser.close(), theirs.close(), thief.close())


async def a_provider_that_is_gone_is_one_refusal_and_passwords_go_on(stage: Stage) -> None:
    browser, theirs = HttpSession(stage.app_url), HttpSession(stage.issuer)
    start = (await browser.get("/oauth/peer")).header("location")
    back = await through(theirs, stage.issuer, start, "cleo@peer.example")
    stage.stop_provider()
    status = (await browser.get(back)).status
    assert status == 503, f"answered {status}"
    await (await stage.session_of_owner()).close()
    await asyncio.gather(browser.close(), theirs.close())


Scene = Callable[[Stage], Awaitable[None]]
SCENES: tuple[tuple[str, Scene], ...] = (
    ("a new person gets an account and comes back to it", a_new_person_gets_an_account_and_comes_back_to_it),
    (
        "signed in, one links it and comes in through it",
        somebody_signed_in_links_the_provider_and_comes_in_through_it,
    ),
    (
        "an address with an account is proven first",
        an_address_that_has_an_account_is_proven_before_it_is_linked,
    ),
    (
        "a code works once, in its own browser",
        a_code_that_comes_back_twice_or_in_another_browser_signs_nobody_in,
    ),
    ("keys replaced without overlap", keys_replaced_without_overlap_cost_nobody_a_sign_in),
    ("a provider that is gone", a_provider_that_is_gone_is_one_refusal_and_passwords_go_on),
)


async def _told(scene: Scene, stage: Stage) -> str:
    try:
        await scene(stage)
    except (AssertionError, LostAtPeer) as wrong:
        return str(wrong) or "wrong"
    return "as it should"


if __name__ == "__main__":
    main()
