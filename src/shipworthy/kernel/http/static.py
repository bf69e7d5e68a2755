"""Static files: read once, compressed once, served from memory under content-hashed names."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shipworthy.kernel.errors import Missing
from shipworthy.kernel.http.problem import problem_answer
from shipworthy.kernel.http.reply import Answer
from shipworthy.kernel.http.router import MethodNotAllowed

KERNEL_STATIC = Path(__file__).parent / "static"
_READING = ("GET", "HEAD")
_COMPRESSIBLE = {".css", ".js", ".svg", ".html", ".txt", ".json"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to send."""

    body: bytes
    gzipped: bytes | None
    media_type: bytes


class StaticFiles:
    """All static files of the kernel and the rooms."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._by_url: dict[str, Asset] = {}
        self._url_of: dict[str, str] = {}
        for prefix, folder in {"": KERNEL_STATIC, **folders}.items():
            if folder.is_dir():
                for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                    self._add(prefix, folder, path)

    def url(self, name: str) -> str:
        """Return the hashed address of `name`. Errors: LookupError for a file that is not there."""
        try:
            return self._url_of[name]
        except KeyError:
            raise LookupError(f"no static file named {name!r}") from None

    def get(self, url: str) -> Asset | None:
        return self._by_url.get(url)

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Return the file at an address as an answer, compressed where the browser takes that; or the refusal."""
        if method not in _READING:
            return problem_answer(MethodNotAllowed(_READING), trace_id="-")
        asset = self.get(path)
        if asset is None:
            return problem_answer(Missing("file"), trace_id="-")
        common = [
            (b"content-type", asset.media_type),
            (b"cache-control", b"public, max-age=31536000, immutable"),
            (b"vary", b"accept-encoding"),
        ]
        if asset.gzipped is not None and "gzip" in headers.get("accept-encoding", ""):
            return Answer(200, [*common, (b"content-encoding", b"gzip")], asset.gzipped)
        return Answer(200, common, asset.body)

    @property
    def bundle_bytes(self) -> int:
        """What a first visit to the console downloads of styles and scripts, compressed."""
        return sum(
            len(a.gzipped or a.body)
            for u, a in self._by_url.items()
            if u.endswith((".css", ".js")) and u.count("/") == 2
        )

    def _add(self, prefix: str, folder: Path, path: Path) -> None:
        body = path.read_bytes()
        relative = path.relative_to(folder).as_posix()
        name = f"{prefix}/{relative}" if prefix else relative
        digest = hashlib.sha256(body).hexdigest()[:12]
        stem, dot, extension = name.rpartition(".")
        url = f"/static/{stem}.{digest}{dot}{extension}"
        media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        small = gzip.compress(body, 9, mtime=0) if path.suffix in _COMPRESSIBLE else None
        charset = "; charset=utf-8" if media.startswith("text/") else ""
        self._by_url[url] = Asset(body, small, f"{media}{charset}".encode())
        self._url_of[name] = url
