"""The press: a child process that prints one document after the other, kept warm, replaced when it dies.

A document is data of tenants, and the compiler is code of others: what it eats is bounded by the kernel, not by its
good will. The child knows no secret of ours (its environment is empty) and ends with its parent.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from shipworthy.kernel.language import _
from shipworthy.kernel.settings import PdfSection
from shipworthy.kernel.telemetry.spans import span
from shipworthy.rooms.invoicing.printing.paper import InvoiceDocument
from shipworthy.rooms.invoicing.printing.printer import PDF, Order, Refused

_START_TIMEOUT_S = 30.0
_DYING_S = 5.0


class NotPrinted(Exception):
    """A document cannot be printed; trying again changes nothing unless somebody changes something."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class _Death:
    """How a child ended before it had answered."""

    code: str
    message: str
    is_final: bool


class Press:
    """One child at a time: what waits, waits here. `render` may be called by many at once."""

    def __init__(self, bounds: PdfSection) -> None:
        self._bounds = bounds
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def render(
        self,
        document: InvoiceDocument,
        *,
        einvoice: bytes | None = None,
        picture: bool = False,
        on_printed: Callable[[int], None] = lambda _: None,
    ) -> bytes:
        """Return the PDF of `document`, as `render_invoice_pdf` makes it, or a picture of its first page.

        `on_printed` is told how many milliseconds the press was at it, whatever became of it.

        Errors:  NotPrinted with the reason and what to do.
        Cost:    the compiler's own, and a pipe; a second for the first document of a process.
        """
        order = msgspec.json.encode(
            Order(
                document=document,
                einvoice=einvoice.decode() if einvoice else "",
                font_dirs=tuple(self._bounds.font_dirs),
                cpu_s=self._bounds.cpu_s,
                picture=picture,
            )
        )
        async with self._turn:
            began_ns = time.perf_counter_ns()
            try:
                with span("pdf.render"):
                    answer = await self._print(order)
                if isinstance(answer, _Death) and not answer.is_final:
                    answer = await self._print(
                        order
                    )  # what killed it may have had nothing to do with the document
            finally:
                on_printed(max(1, (time.perf_counter_ns() - began_ns) // 1_000_000))
        if isinstance(answer, _Death):
            raise NotPrinted(answer.code, answer.message)
        return _pdf_of(answer)

    async def close(self) -> None:
        """End the child."""
        async with self._turn:
            self._kill()
            await self._end()

    async def _print(self, order: bytes) -> bytes | _Death:
        try:
            child = await self._running()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(len(order).to_bytes(8, "big") + order)
            async with asyncio.timeout(self._bounds.timeout_s):
                await child.stdin.drain()
                size = int.from_bytes(await child.stdout.readexactly(8), "big")
                return await child.stdout.readexactly(size)
        except TimeoutError:
            self._kill()
            await self._end()
            return self._death(None)
        except (asyncio.IncompleteReadError, ConnectionError):
            return self._death(await self._end())
        except BaseException:  # cancelled half-way: what the child answers now would be the next one's answer
            self._kill()
            await self._end()
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "shipworthy.rooms.invoicing.printing.printer",
                str(self._bounds.memory_mib),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={
                    "PATH": os.defpath,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
            )
            assert self._child.stdout is not None
            try:
                async with asyncio.timeout(_START_TIMEOUT_S):
                    await self._child.stdout.readexactly(
                        1
                    )  # it is warm: its time is the document's from here on
            except TimeoutError as late:
                raise ConnectionError("the printing process did not start in time") from late
        return self._child

    def _kill(self) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.kill()

    async def _end(self) -> int | None:
        """Return how the child ended. One that closed its pipe is dying by itself: its own reason is the better one."""
        child, self._child = self._child, None
        if child is None:
            return None
        try:
            async with asyncio.timeout(_DYING_S):
                return await child.wait()
        except TimeoutError:
            child.kill()
            return await child.wait()

    def _death(self, status: int | None) -> _Death:
        bounds = self._bounds
        if status is None:
            said = _(
                "Printing took longer than {seconds} s (pdf.timeout_s) and was stopped.",
                seconds=f"{bounds.timeout_s:g}",
            )
            return _Death("invoicing.pdf_too_slow", said, True)
        if status == -signal.SIGXCPU:
            said = _(
                "Printing took more than {seconds} s of the processor (pdf.cpu_s) and was stopped.",
                seconds=bounds.cpu_s,
            )
            return _Death("invoicing.pdf_too_slow", said, True)
        if status == -signal.SIGABRT:
            return _Death("invoicing.pdf_too_large", too_large(bounds.memory_mib), True)
        return _Death("invoicing.pdf_broken", _("The printing process died. Try again."), False)


def too_large(memory_mib: int) -> str:
    return _(
        "Printing needs more than {memory_mib} MiB of memory (pdf.memory_mib). Split the invoice in several.",
        memory_mib=memory_mib,
    )


def _pdf_of(answer: bytes) -> bytes:
    if answer[:1] == PDF:
        return answer[1:]
    refused = msgspec.json.decode(answer[1:], type=Refused)
    raise NotPrinted(refused.code, refused.message)
