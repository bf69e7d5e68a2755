"""The words that the program itself puts on an invoice, one record per language.

Knows nothing of layout. A new language is a new record here and a new `Locale` in kernel/money.
"""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.money.format import Locale


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
    net_total: str
    taxed_group: str
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
    date: str
    months: tuple[str, ...]
    group_names: dict[str, str]
    legal: dict[str, str]


WORDING: dict[Locale, Wording] = {
    "en": Wording(
        invoice="Invoice",
        credit_note="Credit note",
        position="#",
        description="Description",
        quantity="Quantity",
        unit_price="Unit price",
        tax="Tax",
        amount="Amount",
        discount="less {rate} discount",
        net_total="Net total",
        taxed_group="Tax {rate} on {base}",
        total_due="Total due",
        total_credited="Total credited",
        amount_due="{amount} due by {date}",
        in_your_favour="{amount} in your favour",
        nothing_due="Nothing is due",
        invoice_number="Invoice number",
        credit_note_number="Credit note number",
        credited_invoice="For invoice",
        issue_date="Date of issue",
        due_date="Due by",
        supply_date="Date of supply",
        order_reference="Your reference",
        buyer_id="Your VAT ID",
        vat_id="VAT ID",
        tax_number="Tax number",
        payment="Payment by bank transfer",
        account_holder="Account holder",
        bank="Bank",
        payment_reference="Reference",
        notes="Notes",
        page="Page",
        of="of",
        date="{day} {month} {year}",
        months=(
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        group_names={
            "E": "Tax exempt, on {base}",
            "AE": "Reverse charge, on {base}",
            "K": "Intra-community supply, on {base}",
            "G": "Export, on {base}",
            "O": "Not subject to tax, on {base}",
        },
        legal={
            "AE": "Reverse charge: the recipient is liable for the tax.",
            "K": "Intra-community supply, exempt from VAT.",
            "G": "Export of goods, exempt from VAT.",
        },
    ),
    "de": Wording(
        invoice="Rechnung",
        credit_note="Rechnungskorrektur",
        position="Pos.",
        description="Beschreibung",
        quantity="Menge",
        unit_price="Einzelpreis",
        tax="USt.",
        amount="Betrag",
        discount="abzüglich {rate} Rabatt",
        net_total="Nettobetrag",
        taxed_group="USt. {rate} auf {base}",
        total_due="Zahlbetrag",
        total_credited="Gutschriftbetrag",
        amount_due="{amount} fällig bis {date}",
        in_your_favour="{amount} zu Ihren Gunsten",
        nothing_due="Es ist nichts zu zahlen",
        invoice_number="Rechnungsnummer",
        credit_note_number="Belegnummer",
        credited_invoice="Zu Rechnung",
        issue_date="Rechnungsdatum",
        due_date="Fällig bis",
        supply_date="Leistungsdatum",
        order_reference="Ihre Referenz",
        buyer_id="Ihre USt-IdNr.",
        vat_id="USt-IdNr.",
        tax_number="Steuernummer",
        payment="Zahlung per Überweisung",
        account_holder="Kontoinhaber",
        bank="Bank",
        payment_reference="Verwendungszweck",
        notes="Hinweise",
        page="Seite",
        of="von",
        date="{day}. {month} {year}",
        months=(
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ),
        group_names={
            "E": "Steuerfrei, auf {base}",
            "AE": "Reverse Charge, auf {base}",
            "K": "Innergemeinschaftlich, auf {base}",
            "G": "Ausfuhr, auf {base}",
            "O": "Nicht steuerbar, auf {base}",
        },
        legal={
            "AE": "Steuerschuldnerschaft des Leistungsempfängers.",
            "K": "Steuerfreie innergemeinschaftliche Lieferung.",
            "G": "Steuerfreie Ausfuhrlieferung.",
        },
    ),
}
