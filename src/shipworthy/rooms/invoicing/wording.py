"""The words that the program itself puts on an invoice, in the language of the paper.

Knows nothing of layout. The texts are marked like all others, in a context of their own: a tax on paper has
another short form than one on a screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from shipworthy.kernel.language import LOCALES, Locale, _, speaking
from shipworthy.kernel.money.format import format_rate
from shipworthy.rooms.invoicing.pricing.changes import Change, LineChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Every word that the program itself puts on an invoice, in one language."""

    invoice: str
    credit_note: str
    position: str
    description: str
    quantity: str
    unit_price: str
    tax: str
    amount: str
    discount: str
    charge: str
    lines_in_annex: str
    annex: str
    annex_said: str
    lines_total: str
    lines_total_with_tax: str
    prices_include_tax: str
    of_which: str
    net_total: str
    taxed_group: str
    gross_total: str
    rounding: str
    total_due: str
    total_credited: str
    amount_due: str
    in_your_favour: str
    nothing_due: str
    invoice_number: str
    credit_note_number: str
    credited_invoice: str
    issue_date: str
    due_date: str
    supply_date: str
    order_reference: str
    buyer_id: str
    vat_id: str
    tax_number: str
    payment: str
    account_holder: str
    bank: str
    payment_reference: str
    notes: str
    page: str
    of: str
    group_names: dict[str, str]
    legal: dict[str, str]


_GERMAN = frozenset({"DE", "AT", "CH", "LI", "LU"})


def language_of(buyer: Mapping[str, Any] | None, *, otherwise: Locale) -> Locale:
    """Return the language of what is sent to a customer: theirs, else their country's, else the app's."""
    chosen, country = ((buyer or {}).get(name, "") for name in ("language", "country"))
    known = next((locale for locale in LOCALES if locale == chosen), None)
    if known or not country:
        return known or otherwise
    return "de" if country in _GERMAN else "en"


@cache
def wording(locale: Locale) -> Wording:
    """Return the words of a language. Those with {names} are filled in where they are used."""
    with speaking(locale):
        return Wording(
            invoice=_("Invoice", context="paper"),
            credit_note=_("Credit note", context="paper"),
            position=_("#", context="paper"),
            description=_("Description", context="paper"),
            quantity=_("Quantity", context="paper"),
            unit_price=_("Unit price", context="paper"),
            tax=_("Tax", context="paper"),
            amount=_("Amount", context="paper"),
            discount=_("Discount", context="paper"),
            charge=_("Surcharge", context="paper"),
            lines_in_annex=_("{count} lines, see the annex", context="paper"),
            annex=_("Annex", context="paper"),
            annex_said=_(
                "The lines are listed one by one in {file}, a table (CSV) that is attached to this file and is part "
                "of the invoice.",
                context="paper",
            ),
            lines_total=_("Total of the lines", context="paper"),
            lines_total_with_tax=_("Total of the lines, with tax", context="paper"),
            prices_include_tax=_("All prices include the tax.", context="paper"),
            of_which=_("of which: {what}", context="paper"),
            net_total=_("Net total", context="paper"),
            taxed_group=_("Tax {rate} on {base}", context="paper"),
            gross_total=_("Total with tax", context="paper"),
            rounding=_("Rounding", context="paper"),
            total_due=_("Total due", context="paper"),
            total_credited=_("Total credited", context="paper"),
            amount_due=_("{amount} due by {date}", context="paper"),
            in_your_favour=_("{amount} in your favour", context="paper"),
            nothing_due=_("Nothing is due", context="paper"),
            invoice_number=_("Invoice number", context="paper"),
            credit_note_number=_("Credit note no.", context="paper"),
            credited_invoice=_("For invoice", context="paper"),
            issue_date=_("Date of issue", context="paper"),
            due_date=_("Due by", context="paper"),
            supply_date=_("Date of supply", context="paper"),
            order_reference=_("Your reference", context="paper"),
            buyer_id=_("Your VAT ID", context="paper"),
            vat_id=_("VAT ID", context="paper"),
            tax_number=_("Tax number", context="paper"),
            payment=_("Payment by bank transfer", context="paper"),
            account_holder=_("Account holder", context="paper"),
            bank=_("Bank", context="paper"),
            payment_reference=_("Reference", context="paper"),
            notes=_("Notes", context="paper"),
            page=_("Page", context="paper"),
            of=_("of", context="paper"),
            group_names={
                "E": _("Tax exempt, on {base}", context="paper"),
                "AE": _("Reverse charge, on {base}", context="paper"),
                "K": _("Intra-community supply, on {base}", context="paper"),
                "G": _("Export, on {base}", context="paper"),
                "O": _("Not subject to tax, on {base}", context="paper"),
            },
            legal={
                "AE": _("Reverse charge: the recipient is liable for the tax.", context="paper"),
                "K": _("Intra-community supply, exempt from VAT.", context="paper"),
                "G": _("Export of goods, exempt from VAT.", context="paper"),
            },
        )


def change_label(change: Change | LineChange, *, locale: Locale) -> str:
    """Return what a discount or charge is called where it is shown: its reason, or the word for it, and its rate."""
    words = wording(locale)
    word = change.reason or (words.discount if change.kind == "discount" else words.charge)
    if change.percent_bp is None:
        return word
    return f"{word} {format_rate(change.percent_bp, locale=locale)}"
