"""XML from strangers: no entity, no document type, no network, and bounds on bytes, depth and elements."""

from __future__ import annotations

import io
from typing import Any

from lxml import etree

from shipworthy.kernel.errors import Invalid

BYTES_MAX = 5_000_000
DEPTH_MAX = 40  # the deepest place of either syntax is twelve
ELEMENTS_MAX = 100_000  # an invoice of a thousand lines has forty thousand


def parse(content: bytes) -> Any:
    """Return the root element of a file nobody vouches for.

    Errors:  `einvoice.not_xml`, `einvoice.too_large`, `einvoice.forbidden_xml`.
    """
    if len(content) > BYTES_MAX:
        raise Invalid("einvoice.too_large", f"The file is larger than {BYTES_MAX // 1_000_000} MB.")
    depth = elements = 0
    try:
        walk = etree.iterparse(
            io.BytesIO(content),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=False,
        )
        for event, _ in walk:
            depth += 1 if event == "start" else -1
            elements += event == "start"
            if depth > DEPTH_MAX or elements > ELEMENTS_MAX:
                raise Invalid(
                    "einvoice.too_large",
                    f"The file has more than {ELEMENTS_MAX} elements or is nested deeper than {DEPTH_MAX}.",
                )
    except etree.XMLSyntaxError as broken:
        raise Invalid("einvoice.not_xml", f"The file is not well-formed XML: {broken.msg}.") from None
    root = walk.root
    if root.getroottree().docinfo.doctype:
        raise Invalid(
            "einvoice.forbidden_xml", "The file declares a document type. An electronic invoice has none."
        )
    return root
