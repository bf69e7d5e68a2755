"""The frozen table of currencies: how many digits follow the point, and the smallest coin.

Owns: ISO 4217 List One without the codes that have no minor unit (precious metals, testing,
bond market units), because nobody can be invoiced in them. Knows nothing of exchange rates.

A document stores the exponent it was computed with, so a currency that ISO withdraws, or
revalues, changes no document that exists.

Source:  ISO 4217:2015 List One up to amendment 180 (XAD and XCG in; ANG, BGN, CUC, HRK, SLL,
         ZWL out). The exponent is ISO's, not CLDR's: CLDR shows HUF, IDR or RSD without
         decimals, but a bank still settles them with two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217. `exponent` is the number of decimals of its minor unit (0..4).

    `cash_increment_minor` is the smallest coin in use, in minor units: 5 for CHF, where cash
    is paid in steps of 0.05. It rounds what is paid, never a tax or a total.
    """

    code: str
    exponent: int
    cash_increment_minor: int = 1


def currency_of(code: str) -> Currency:
    """Return the currency with this ISO 4217 code, written in capitals.

    Errors:  `money.currency_unknown` when no active currency has it.
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        known = code.upper() if code.upper() in CURRENCIES else None
        hint = _("Write {code}.", code=known) if known else _("Use an ISO 4217 code such as EUR.")
        said = _("There is no currency '{code}'. {hint}", code=code[:12], hint=hint)
        raise Invalid("money.currency_unknown", said) from None


_CODES_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
        GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
        LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}

# Only where the smallest coin is certain and differs from the minor unit.
_CASH_INCREMENTS_MINOR = {
    "AUD": 5,
    "CAD": 5,
    "CHF": 5,
    "CZK": 100,
    "DKK": 50,
    "HUF": 500,
    "MYR": 5,
    "NOK": 100,
    "NZD": 10,
    "SEK": 100,
}

CURRENCIES: Mapping[str, Currency] = MappingProxyType(
    {
        code: Currency(code, exponent, _CASH_INCREMENTS_MINOR.get(code, 1))
        for exponent, codes in _CODES_BY_EXPONENT.items()
        for code in codes.split()
    }
)
