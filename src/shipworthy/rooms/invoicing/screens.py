"""HTTP for people: the same capabilities as the API, as pages and forms."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Annotated, Any

import msgspec

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Page, Redirect
from shipworthy.kernel.money.currencies import CURRENCIES
from shipworthy.kernel.route import route
from shipworthy.rooms.invoicing import forms
from shipworthy.rooms.invoicing.bodies import CustomerBody
from shipworthy.rooms.invoicing.catalogue import q
from shipworthy.rooms.invoicing.customers import create_customer, get_customer
from shipworthy.rooms.invoicing.dates import today_in
from shipworthy.rooms.invoicing.draft import create_draft, delete_draft, edit_draft
from shipworthy.rooms.invoicing.finalise import finalise
from shipworthy.rooms.invoicing.forms import InvoiceForm
from shipworthy.rooms.invoicing.invoice import load_invoice, wrong_status
from shipworthy.rooms.invoicing.lines import total
from shipworthy.rooms.invoicing.listing import list_customers, list_invoices
from shipworthy.rooms.invoicing.settle import pay, void
from shipworthy.rooms.invoicing.versions import Stale
