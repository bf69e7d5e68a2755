"""The child of the press: documents in, PDFs out, until its input ends. It bounds itself before it loads anything.

Both ways a message is its length in eight bytes and so many bytes. An answer begins with `PDF` or `NOT`.
"""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.pdf import render_invoice_pdf, render_invoice_picture, warm_up
from shipworthy.rooms.invoicing.printing.paper import InvoiceDocument

PDF, NOT = b"P", b"N"


class Order(msgspec.Struct):
    """What is to be printed. `cpu_s` bounds this document, not the process."""

    document: InvoiceDocument
    einvoice: str
    font_dirs: tuple[str, ...]
    cpu_s: int
    picture: bool = False  # the first page as PNG, not the PDF


class Refused(msgspec.Struct):
    """Why a document has no PDF."""

    code: str
    message: str


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us
    memory_bytes = int(sys.argv[1]) * 1024 * 1024
    warm_up()
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to its pipe and nowhere else
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.buffer.write(b"!")
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(orders: BinaryIO, answers: BinaryIO) -> None:
    """Answer orders until there are none."""
    while len(head := orders.read(8)) == 8:
        answer = _answer(orders.read(int.from_bytes(head, "big")))
        answers.write(len(answer).to_bytes(8, "big") + answer)
        answers.flush()


def _answer(message: bytes) -> bytes:
    try:
        order = msgspec.json.decode(message, type=Order)
        _allow_cpu(order.cpu_s)
        einvoice = order.einvoice.encode() if order.einvoice else None
        fonts = [Path(folder) for folder in order.font_dirs]
        if order.picture:
            return PDF + render_invoice_picture(order.document, font_dirs=fonts)
        return PDF + render_invoice_pdf(order.document, einvoice=einvoice, font_dirs=fonts)
    except Invalid as refused:
        return NOT + msgspec.json.encode(Refused(refused.code, refused.message))
    except NotADirectoryError as absent:
        said = f"{absent} Correct pdf.font_dirs in app.toml."
        return NOT + msgspec.json.encode(Refused("invoicing.pdf_broken", said))
    except MemoryError:
        signal.raise_signal(signal.SIGABRT)  # as the compiler itself ends when there is no more
        raise


def _allow_cpu(cpu_s: int) -> None:
    """Let this document use so much of the processor: the limit is for the process, so it moves on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu_s + 1, hard))


if __name__ == "__main__":
    main()
