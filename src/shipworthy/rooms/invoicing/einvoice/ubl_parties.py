"""Who an invoice names, in UBL: seller, buyer, payee, tax representative, and where the goods went.

Source:  CEN/TS 16931-3-2.
"""

from __future__ import annotations

from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.einvoice.codecs import DATE
from shipworthy.rooms.invoicing.einvoice.tree import Group, Part, fixed, group, leaf

SCHEME = (("schemeID", "scheme"),)
VAT = fixed("cac:TaxScheme/cbc:ID", "VAT")


def _address(tag: str) -> Group:
    return group(
        tag,
        leaf("cbc:StreetName", "line_1"),
        leaf("cbc:AdditionalStreetName", "line_2"),
        leaf("cbc:CityName", "city"),
        leaf("cbc:PostalZone", "post_code"),
        leaf("cbc:CountrySubentity", "subdivision"),
        leaf("cac:AddressLine/cbc:Line", "line_3"),
        leaf("cac:Country/cbc:IdentificationCode", "country"),
        field="address",
        of=model.Address,
    )


_IDENTIFIED = group(
    "cac:PartyIdentification",
    leaf("cbc:ID", "value", attributes=SCHEME),
    field="identifiers",
    of=model.Identifier,
    many=True,
)
# The creditor's SEPA identifier (BT-90) stands among the seller's own.
_CREDITOR = group(
    "cac:PartyIdentification", leaf("cbc:ID", "creditor_id", fixed=(("schemeID", "SEPA"),), up=True)
)


def _party(tag: str, name: str, *more: Part) -> Group:
    return group(
        f"{tag}/cac:Party",
        leaf("cbc:EndpointID", "endpoint", of=model.Identifier, attributes=SCHEME),
        *more,
        _IDENTIFIED,
        leaf("cac:PartyName/cbc:Name", "trading_name"),
        _address("cac:PostalAddress"),
        group("cac:PartyTaxScheme", leaf("cbc:CompanyID", "vat_id"), VAT),
        group(
            "cac:PartyTaxScheme",
            leaf("cbc:CompanyID", "tax_number"),
            fixed("cac:TaxScheme/cbc:ID", "FC", lenient=True),
        ),
        group(
            "cac:PartyLegalEntity",
            leaf("cbc:RegistrationName", "name"),
            leaf("cbc:CompanyID", "registration", of=model.Identifier, attributes=SCHEME),
            leaf("cbc:CompanyLegalForm", "legal_form"),
        ),
        group(
            "cac:Contact",
            leaf("cbc:Name", "name"),
            leaf("cbc:Telephone", "phone"),
            leaf("cbc:ElectronicMail", "email"),
            field="contact",
            of=model.Contact,
        ),
        field=name,
        of=model.Party,
    )


_PAYEE = group(
    "cac:PayeeParty",
    _CREDITOR,
    _IDENTIFIED,
    leaf("cac:PartyName/cbc:Name", "name"),
    group(
        "cac:PartyLegalEntity", leaf("cbc:CompanyID", "registration", of=model.Identifier, attributes=SCHEME)
    ),
    field="payee",
    of=model.Party,
)
_REPRESENTATIVE = group(
    "cac:TaxRepresentativeParty",
    leaf("cac:PartyName/cbc:Name", "name"),
    _address("cac:PostalAddress"),
    group("cac:PartyTaxScheme", leaf("cbc:CompanyID", "vat_id"), VAT),
    field="tax_representative",
    of=model.Party,
)
_DELIVERY = group(
    "cac:Delivery",
    leaf("cbc:ActualDeliveryDate", "delivered_on", DATE, up=True),
    group(
        "cac:DeliveryLocation",
        leaf("cbc:ID", "location", of=model.Identifier, attributes=SCHEME),
        _address("cac:Address"),
    ),
    leaf("cac:DeliveryParty/cac:PartyName/cbc:Name", "name"),
    field="delivery",
    of=model.Delivery,
)


PARTIES = (
    _party("cac:AccountingSupplierParty", "seller", _CREDITOR),
    _party("cac:AccountingCustomerParty", "buyer"),
    _PAYEE,
    _REPRESENTATIVE,
    _DELIVERY,
)
