"""The raw lane: host -> site, path -> bytes. No session, no template, and on a hit no database (D7).

A miss reads and renders once, however many ask. A publish tells every process at its commit
(NOTIFY), and what they kept of the site is out of date. When the listening connection breaks,
everything is asked of the database until it is back; when the database is away or slow, what is
kept is served, however old.

There is no second cache in the database: the text of a page is HTML already, so rendering costs
little more than reading kept bytes would (README), and nothing there can be out of date.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from shipworthy.kernel.context import Scope
from shipworthy.kernel.errors import Busy
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.telemetry.log import log
from shipworthy.rooms.site.addresses import ROBOTS_PATH, SITEMAP_PATH, encoded, requested_path
from shipworthy.rooms.site.answers import Answers
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import CHANNEL, EVERYTHING, announced, on_change
from shipworthy.rooms.site.flights import Flights
from shipworthy.rooms.site.hosts import Hosts, Site
from shipworthy.rooms.site.render import render_missing, render_page
from shipworthy.rooms.site.shelf import HIT, MISS, NO_BODY, STALE, Entry, Form, Shelf, start_message
from shipworthy.rooms.site.sitemap import load_sitemap
