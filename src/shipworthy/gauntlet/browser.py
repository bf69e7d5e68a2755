"""`Browser`: a Chromium of this machine, headless and bounded, for checks that need eyes.

Owns where it is found, how it starts, what its tabs look like, and its end: whatever happens its
processes are gone afterwards. It reaches the examined hosts only; what a page asks of another host
fails at once and is told. Driven by Playwright, which is imported when a browser is wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.http import HttpSession
from shipworthy.gauntlet.processid import ProcessId, process_id

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Playwright, Request

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# No sandbox: it does not start as root or in most containers, and the only pages here are the examined app's.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
INSTALL = 'Install the extra: pip install "shipworthy[gauntlet]".'
LAUNCH_TIMEOUT_S = 60.0  # one second on an idle machine; on two busy cores it was seen to take ten
CLOSE_TIMEOUT_S = 10.0
CALL_TIMEOUT_S = 30.0  # any one thing asked of a tab


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The device and the network a page is looked at with.

    Units:   CSS pixels; `latency_ms` is added to every request; kbit/s; `cpu_slowdown` times slower.
    """

    name: str
    width_px: int
    height_px: int
    scale: float = 1.0
    is_touched: bool = False
    cpu_slowdown: float = 1.0
    latency_ms: float = 0.0
    down_kbit_s: float = 0.0  # 0: as fast as the machine
    up_kbit_s: float = 0.0

    def __str__(self) -> str:
        said = f"{self.name}: {self.width_px}x{self.height_px}"
        if self.cpu_slowdown != 1:
            said += f", processor {self.cpu_slowdown:g} times slower"
        if self.down_kbit_s:
            said += f", {self.latency_ms:g} ms and {self.down_kbit_s / 1000:g} Mbit/s"
        return said


DESKTOP = Profile(name="desktop", width_px=1350, height_px=940)
# The mid-range phone on slow 4G that Lighthouse simulates: core/config/constants.js, `mobileSlow4G`.
PHONE = Profile(
    name="phone",
    width_px=412,
    height_px=823,
    scale=1.75,
    is_touched=True,
    cpu_slowdown=4,
    latency_ms=150,
    down_kbit_s=1638.4,
    up_kbit_s=750,
)
PROFILES = (DESKTOP, PHONE)


@dataclass
class Tab:
    """An open page of a fresh visitor, what it waits for, and the other hosts it asked in vain."""

    page: Page
    under_way: set[Request] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)

    def watch(self) -> None:
        """Keep both up to date from now on."""
        self.page.on("request", self._began)
        self.page.on("requestfinished", self._finished)
        self.page.on("requestfailed", self._failed)

    # Methods, since Playwright hangs something of its own on each listener: a set's own cannot carry it.
    def _began(self, request: Request) -> None:
        self.under_way.add(request)

    def _finished(self, request: Request) -> None:
        self.under_way.discard(request)

    def _failed(self, request: Request) -> None:
        self.under_way.discard(request)
        if request.failure == "net::ERR_NAME_NOT_RESOLVED":
            self.elsewhere.add(urlsplit(request.url).netloc)


class Browser:
    """A running Chromium. Made by `chromium`, which also ends it."""

    def __init__(self, running: Chromium) -> None:
        self._running = running

    @asynccontextmanager
    async def tab(
        self,
        profile: Profile,
        *,
        cookies: Sequence[dict[str, Any]] = (),
        is_dark: bool = False,
        past_policy: bool = False,
        script: str = "",
    ) -> AsyncIterator[Tab]:
        """Yield a tab with an empty cache and these cookies (`cookies_of`), gone afterwards.

        `past_policy` lets our scripts in where the page's content security policy forbids them;
        `script` runs in every document before its own, without that.
        """
        context = await self._running.new_context(
            viewport={"width": profile.width_px, "height": profile.height_px},
            device_scale_factor=profile.scale,
            has_touch=profile.is_touched,
            is_mobile=profile.is_touched,
            color_scheme="dark" if is_dark else "light",
            bypass_csp=past_policy,
            accept_downloads=False,
            service_workers="block",  # what it kept for one tab would answer the next
        )
        try:
            context.set_default_timeout(CALL_TIMEOUT_S * 1000)
            if cookies:
                await context.add_cookies(list(cookies))  # type: ignore[arg-type]
            if script:
                await context.add_init_script(script)
            tab = Tab(await context.new_page())
            tab.watch()
            await _slow_down(context, tab.page, profile)
            yield tab
        finally:
            with contextlib.suppress(Exception):  # a browser that died has no context to close
                await asyncio.wait_for(context.close(), CLOSE_TIMEOUT_S)


@asynccontextmanager
async def chromium(*urls: str) -> AsyncIterator[Browser]:
    """Run a Chromium that reaches the hosts of these addresses and no other, until the block ends.

    Errors:  Unmeasurable when there is none, or when it does not start.
    """
    program = browser_path()
    if program is None:
        raise Unmeasurable("No Chromium was found on this machine.")
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise Unmeasurable("Playwright, which drives the browser, is not installed.", fix=INSTALL) from None
    async with async_playwright() as playwright:
        try:
            running, process = await _launched(playwright, program, urls)
        except Error as refused:
            raise Unmeasurable(
                f"{program} did not start: {refused.message.splitlines()[0]}",
                fix="Start it by hand with --headless, or name another one in SHIPWORTHY_CHROMIUM.",
            ) from refused
        try:
            yield Browser(running)
        finally:
            await _ended(running, process)


def browser_path() -> str | None:
    """Return a Chromium of this machine, or the one SHIPWORTHY_CHROMIUM names."""
    named = os.environ.get("SHIPWORTHY_CHROMIUM")
    candidates = (named,) if named else NAMES
    return next((path for name in candidates if (path := shutil.which(name))), None)


def cookies_of(session: HttpSession, url: str) -> list[dict[str, Any]]:
    """Return a session's cookies for a tab, to be sent to the host of `url`."""
    parts = urlsplit(url)
    return [
        {"name": cookie.name, "value": cookie.value or "", "url": f"{parts.scheme}://{parts.netloc}"}
        for cookie in session.cookies.jar
    ]


def only_hosts(urls: Iterable[str]) -> str:
    """Return Chromium's rule by which these hosts are found and every other name is not.

    What lies below a name of this machine is found, too: an app shows a preview below its site's own name.
    """
    hosts = {urlsplit(url).hostname or "" for url in urls}
    local = [host for host in sorted(hosts) if _is_local_name(host)]
    below = [f"*.{host}" for host in local if host != "localhost"]
    ours = [f"MAP {name} 127.0.0.1" for name in [*local, *below]]
    return ", ".join([*ours, "MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in sorted(hosts))])


def _is_local_name(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


async def _launched(
    playwright: Playwright, program: str, urls: Sequence[str]
) -> tuple[Chromium, ProcessId | None]:
    running = await playwright.chromium.launch(
        executable_path=program,
        args=[*ARGUMENTS, f"--host-resolver-rules={only_hosts(urls)}"],
        timeout=LAUNCH_TIMEOUT_S * 1000,
    )
    asking = await running.new_browser_cdp_session()
    answer = await asking.send("SystemInfo.getProcessInfo")
    await asking.detach()
    pid = next(int(known["id"]) for known in answer["processInfo"] if known["type"] == "browser")
    return running, process_id(pid)


async def _ended(running: Chromium, process: ProcessId | None) -> None:
    """Close it as a person would; what does not close is killed, and its children end with it."""
    try:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(running.close(), CLOSE_TIMEOUT_S)
    finally:
        if process is not None:
            process.send(signal.SIGKILL)


async def _slow_down(context: BrowserContext, page: Page, profile: Profile) -> None:
    if profile.cpu_slowdown == 1 and not profile.down_kbit_s:
        return
    devtools = await context.new_cdp_session(page)
    await devtools.send("Emulation.setCPUThrottlingRate", {"rate": profile.cpu_slowdown})
    if profile.down_kbit_s:
        await devtools.send("Network.enable")
        conditions = {
            "offline": False,
            "latency": profile.latency_ms,
            "downloadThroughput": profile.down_kbit_s * 1000 / 8,
            "uploadThroughput": profile.up_kbit_s * 1000 / 8,
        }
        await devtools.send("Network.emulateNetworkConditions", conditions)
