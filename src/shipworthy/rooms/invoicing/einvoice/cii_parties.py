"""Who an invoice names, in CII: one shape for seller, buyer, payee and tax representative.

Source:  CEN/TS 16931-3-3.
"""

from __future__ import annotations

from shipworthy.rooms.invoicing.einvoice import model
from shipworthy.rooms.invoicing.einvoice.tree import Group, group, leaf

SCHEME = (("schemeID", "scheme"),)


def has_scheme(identifier: model.Identifier) -> bool:
    return identifier.scheme is not None


def has_no_scheme(identifier: model.Identifier) -> bool:
    return identifier.scheme is None


ADDRESS = group(
    "ram:PostalTradeAddress",
    leaf("ram:PostcodeCode", "post_code"),
    leaf("ram:LineOne", "line_1"),
    leaf("ram:LineTwo", "line_2"),
    leaf("ram:LineThree", "line_3"),
    leaf("ram:CityName", "city"),
    leaf("ram:CountryID", "country"),
    leaf("ram:CountrySubDivisionName", "subdivision"),
    field="address",
    of=model.Address,
)


def party(tag: str, name: str) -> Group:
    return group(
        tag,
        leaf("ram:ID", "identifiers", of=model.Identifier, attributes=SCHEME, many=True, when=has_no_scheme),
        leaf(
            "ram:GlobalID",
            "identifiers",
            of=model.Identifier,
            attributes=SCHEME,
            many=True,
            when=has_scheme,
        ),
        leaf("ram:Name", "name"),
        leaf("ram:Description", "legal_form"),
        group(
            "ram:SpecifiedLegalOrganization",
            leaf("ram:ID", "registration", of=model.Identifier, attributes=SCHEME),
            leaf("ram:TradingBusinessName", "trading_name"),
        ),
        group(
            "ram:DefinedTradeContact",
            leaf("ram:PersonName", "name"),
            leaf("ram:DepartmentName", "name", spare=True),
            leaf("ram:TelephoneUniversalCommunication/ram:CompleteNumber", "phone"),
            leaf("ram:EmailURIUniversalCommunication/ram:URIID", "email"),
            field="contact",
            of=model.Contact,
        ),
        ADDRESS,
        leaf("ram:URIUniversalCommunication/ram:URIID", "endpoint", of=model.Identifier, attributes=SCHEME),
        leaf("ram:SpecifiedTaxRegistration/ram:ID", "vat_id", fixed=(("schemeID", "VA"),)),
        leaf("ram:SpecifiedTaxRegistration/ram:ID", "tax_number", fixed=(("schemeID", "FC"),)),
        field=name,
        of=model.Party,
    )
