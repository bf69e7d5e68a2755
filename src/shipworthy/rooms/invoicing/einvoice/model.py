"""The canonical electronic invoice: EN 16931's semantic model, whatever syntax it came in or goes out in.

Each field names its business term. Amounts and prices are decimals in major units, as the norm has them; a
field that is absent is None or empty. The model holds more than the room issues yet (document allowances,
credit notes), because others send it.

Source:  EN 16931-1, table of business terms (BT) and groups (BG).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

INVOICE, CREDIT_NOTE = "380", "381"
# The other codes of UNTDID 1001 that UBL writes as a credit note (EN 16931-3-2).
CREDIT_NOTE_CODES = frozenset({CREDIT_NOTE, "83", "261", "262", "296", "308", "396", "420", "458", "532"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    value: str
    scheme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """BG-1."""

    text: str  # BT-22
    subject: str | None = None  # BT-21


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """BG-3: the invoice a credit note takes back."""

    number: str  # BT-25
    issue_date: date | None = None  # BT-26


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """BG-5, BG-8, BG-12, BG-15."""

    line_1: str | None = None  # BT-35, BT-50
    line_2: str | None = None
    line_3: str | None = None
    city: str | None = None  # BT-37, BT-52
    post_code: str | None = None  # BT-38, BT-53
    subdivision: str | None = None
    country: str | None = None  # BT-40, BT-55


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """BG-6, BG-9."""

    name: str | None = None  # BT-41, BT-56
    phone: str | None = None  # BT-42, BT-57
    email: str | None = None  # BT-43, BT-58


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """BG-4 seller, BG-7 buyer, BG-10 payee, BG-11 tax representative."""

    name: str | None = None  # BT-27, BT-44, BT-59, BT-62
    trading_name: str | None = None  # BT-28, BT-45
    identifiers: tuple[Identifier, ...] = ()  # BT-29, BT-46, BT-60
    registration: Identifier | None = None  # BT-30, BT-47, BT-61
    vat_id: str | None = None  # BT-31, BT-48, BT-63
    tax_number: str | None = None  # BT-32
    legal_form: str | None = None  # BT-33
    endpoint: Identifier | None = None  # BT-34, BT-49
    address: Address | None = None
    contact: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """BG-13 and BG-15."""

    name: str | None = None  # BT-70
    location: Identifier | None = None  # BT-71
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMeans:
    """BG-16, once for each account the money may go to."""

    code: str  # BT-81
    text: str | None = None  # BT-82
    account: str | None = None  # BT-84, an IBAN where it is one
    account_holder: str | None = None  # BT-85
    bic: str | None = None  # BT-86
    card: str | None = None  # BT-87
    card_holder: str | None = None  # BT-88
    debited_account: str | None = None  # BT-91


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """BG-20 and BG-21 of the document, BG-27 and BG-28 of a line: an allowance or a charge."""

    amount: Decimal  # BT-92, BT-99, BT-136, BT-141
    base: Decimal | None = None
    percent: Decimal | None = None
    reason: str | None = None
    reason_code: str | None = None
    tax_category: str | None = None  # BT-95, BT-102; a line's have none of their own
    tax_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """BG-23."""

    base: Decimal  # BT-116
    amount: Decimal  # BT-117
    category: str  # BT-118
    rate: Decimal | None = None  # BT-119
    exemption_reason: str | None = None  # BT-120
    exemption_code: str | None = None  # BT-121


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """BG-22."""

    lines: Decimal  # BT-106
    allowances: Decimal | None = None  # BT-107
    charges: Decimal | None = None  # BT-108
    net: Decimal  # BT-109
    gross: Decimal  # BT-112
    prepaid: Decimal | None = None  # BT-113
    rounding: Decimal | None = None  # BT-114
    payable: Decimal  # BT-115


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """BT-125."""

    content: str  # as base64, untouched
    mime: str | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """BG-24."""

    reference: str  # BT-122
    description: str | None = None  # BT-123
    location: str | None = None  # BT-124
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """BG-14, BG-26."""

    start: date | None = None  # BT-73, BT-134
    end: date | None = None  # BT-74, BT-135


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """BT-158."""

    code: str
    scheme: str | None = None
    scheme_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """BG-32."""

    name: str  # BT-160
    value: str  # BT-161


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """BG-25."""

    line_id: str  # BT-126
    note: str | None = None  # BT-127
    object_id: Identifier | None = None  # BT-128
    quantity: Decimal  # BT-129
    unit: str  # BT-130
    net: Decimal  # BT-131
    order_line: str | None = None  # BT-132
    accounting_reference: str | None = None  # BT-133
    period: Period | None = None
    allowances: tuple[Change, ...] = ()
    charges: tuple[Change, ...] = ()
    price: Decimal  # BT-146
    price_discount: Decimal | None = None  # BT-147
    price_gross: Decimal | None = None  # BT-148
    base_quantity: Decimal | None = None  # BT-149
    base_unit: str | None = None  # BT-150
    tax_category: str  # BT-151
    tax_rate: Decimal | None = None  # BT-152
    name: str  # BT-153
    description: str | None = None  # BT-154
    seller_item: str | None = None  # BT-155
    buyer_item: str | None = None  # BT-156
    standard_item: Identifier | None = None  # BT-157
    classifications: tuple[Classification, ...] = ()
    origin: str | None = None  # BT-159
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """One electronic invoice, whole."""

    number: str  # BT-1
    issue_date: date  # BT-2
    type_code: str = INVOICE  # BT-3
    currency: str  # BT-5
    tax_currency: str | None = None  # BT-6
    tax_point: date | None = None  # BT-7
    tax_point_code: str | None = None  # BT-8, UNTDID 2005
    due_date: date | None = None  # BT-9
    buyer_reference: str | None = None  # BT-10
    project: str | None = None  # BT-11
    contract: str | None = None  # BT-12
    order: str | None = None  # BT-13
    sales_order: str | None = None  # BT-14
    receipt: str | None = None  # BT-15
    despatch: str | None = None  # BT-16
    tender: str | None = None  # BT-17
    object_id: Identifier | None = None  # BT-18
    accounting_reference: str | None = None  # BT-19
    payment_terms: str | None = None  # BT-20
    notes: tuple[Note, ...] = ()
    process: str | None = None  # BT-23
    customization: str  # BT-24
    preceding: tuple[Reference, ...] = ()
    seller: Party
    buyer: Party
    payee: Party | None = None
    tax_representative: Party | None = None
    delivery: Delivery | None = None
    delivered_on: date | None = None  # BT-72
    period: Period | None = None
    payment: tuple[PaymentMeans, ...] = ()
    remittance: str | None = None  # BT-83
    mandate: str | None = None  # BT-89
    creditor_id: str | None = None  # BT-90
    allowances: tuple[Change, ...] = ()
    charges: tuple[Change, ...] = ()
    totals: Totals
    tax_total: Decimal | None = None  # BT-110
    tax_total_accounting: Decimal | None = None  # BT-111, in the currency BT-6
    taxes: tuple[Tax, ...]
    documents: tuple[Document, ...] = ()
    lines: tuple[Line, ...]

    @property
    def is_credit_note(self) -> bool:
        return self.type_code in CREDIT_NOTE_CODES
