"""三事分流: how grave an event is, and so who handles it.

`micro` (微事) is for the cleaner on site, `minor` (小事) for the community, `major` (大事) for the
street office. Two things make it graver: rubbish lying around the bin, and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.domain import Severity


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """When an event is graver than `micro`.

    ``*_spill``: share of the zone's width that rubbish beside the bin covers, 0..1; set it too low
    and one bag beside the bin calls the street office. ``*_after``: how long it has been overflowing.
    Assumptions, to be replaced by the office's own rules.
    """

    minor_spill: float = 0.25
    major_spill: float = 0.8
    minor_after: timedelta = timedelta(hours=1)
    major_after: timedelta = timedelta(hours=4)


def severity(spill: float, lasting: timedelta, rules: SeverityRules) -> Severity:
    """The severity of an event with this much spill that has lasted so long.

    >>> severity(0.0, timedelta(minutes=5), SeverityRules())
    <Severity.MICRO: 'micro'>
    """
    if spill >= rules.major_spill or lasting >= rules.major_after:
        return Severity.MAJOR
    if spill >= rules.minor_spill or lasting >= rules.minor_after:
        return Severity.MINOR
    return Severity.MICRO


def graver(one: Severity, other: Severity) -> Severity:
    """The graver of two: an open event's severity only rises."""
    order = list(Severity)
    return max(one, other, key=order.index)
