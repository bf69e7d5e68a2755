"""What a mail with an invoice says if nobody writes something else, in the customer's language. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.language import Locale, _, day_text, speaking
from shipworthy.kernel.money.format import format_amount
from shipworthy.rooms.invoicing.invoice import Invoice

_SUBJECT_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """The subject and the text of a mail."""

    subject: str
    message: str


def write_letter(invoice: Invoice, locale: Locale) -> Letter:
    """Return the mail for an issued invoice or credit note."""
    assert invoice.number is not None, "a draft is not sent"
    assert invoice.seller is not None, "a draft is not sent"
    # A seller's name stands in a header: whatever breaks a line there is a blank.
    seller = " ".join(str(invoice.seller["name"]).split())
    with speaking(locale):
        if invoice.kind == "credit_note":
            subject = _("Credit note {number} from {seller}", number=invoice.number, seller=seller)
            said = [_of_credit_note(invoice, locale)]
        else:
            subject = _("Invoice {number} from {seller}", number=invoice.number, seller=seller)
            said = _of_invoice(invoice, locale)
        parts = [_("Hello,", context="mail"), *said, _("Kind regards", context="mail") + "\n" + seller]
    return Letter(subject[:_SUBJECT_CHARS_MAX], "\n\n".join(parts))


def _of_invoice(invoice: Invoice, locale: Locale) -> list[str]:
    attached = _(
        "please find attached our invoice {number} of {day} over {amount}.",
        number=invoice.number,
        day=day_text(invoice.issue_date, is_long=True),
        amount=_amount(invoice.payable_minor, invoice, locale),
    )
    if invoice.balance_minor <= 0:
        return [attached, _("It is paid already; there is nothing left to do.")]
    owed, due = _amount(invoice.balance_minor, invoice, locale), day_text(invoice.due_date, is_long=True)
    return [attached, _("We ask you to pay {owed} by {due}.", owed=owed, due=due)]


def _of_credit_note(invoice: Invoice, locale: Locale) -> str:
    return _(
        "please find attached our credit note {number} of {day} over {amount} for invoice {credits}.",
        number=invoice.number,
        day=day_text(invoice.issue_date, is_long=True),
        amount=_amount(invoice.payable_minor, invoice, locale),
        credits=invoice.credits_number or "",
    )


def _amount(amount_minor: int, invoice: Invoice, locale: Locale) -> str:
    return format_amount(amount_minor, currency=invoice.currency, locale=locale)
