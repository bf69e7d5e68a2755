"""Why a rate was applied, in words for people."""

from __future__ import annotations

from collections.abc import Iterable

from shipworthy.kernel.language import _, day_text, spoken
from shipworthy.rooms.invoicing.rates.why import Why
from shipworthy.rooms.invoicing.shown import tax_label


def reason_texts(reasons: Iterable[Why]) -> list[list[str]]:
    """Return the reasons for people: the rate, and sentences."""
    return [[_rate(why), " ".join(_sentences(why))] for why in reasons]


def _rate(why: Why) -> str:
    label = tax_label(why.tax_category, why.tax_rate_bp, locale=spoken())
    return label[:1].upper() + label[1:]


def _sentences(why: Why) -> list[str]:
    if why.code is None or why.valid_from is None:
        said = [_("Written on the line itself.")]
    elif why.valid_until:
        name, since, until = _(why.name), day_text(why.valid_from), day_text(why.valid_until)
        said = [_("{name}, which holds from {since} to {until}.", name=name, since=since, until=until)]
    else:
        said = [_("{name}, which holds from {since} on.", name=_(why.name), since=day_text(why.valid_from))]
    said += [part for part in (why.exemption_reason, why.exemption_code) if part]
    day = day_text(why.tax_point)
    if why.tax_point_is == "supply":
        return [*said, _("The tax point is the date of supply, {day}.", day=day)]
    return [*said, _("The tax point is the day of issue, {day}.", day=day)]
