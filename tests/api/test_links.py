from __future__ import annotations

from datetime import timedelta

from api.links import LIFETIME, EvidenceLinks
from pipeline.store.memory import MemoryEvidence

KEY = f"2026/06/01/{64 * 'a'}.jpg"


class CountingEvidence(MemoryEvidence):
    """Signs each link with a number."""

    signed = 0

    def url(self, key: str, lifetime: timedelta) -> str:
        assert lifetime == LIFETIME
        self.signed += 1
        return f"https://s3.example.org/bucket/{key}?n={self.signed}"


def test_a_link_stays_the_same_for_half_of_its_life() -> None:
    now = 0.0
    links = EvidenceLinks(CountingEvidence(), same_origin=False, monotonic=lambda: now)
    first = links.link(KEY)
    assert first == f"https://s3.example.org/bucket/{KEY}?n=1"
    now = LIFETIME.total_seconds() / 2 - 1
    assert links.link(KEY) == first
    now += 1
    assert links.link(KEY).endswith("?n=2")


def test_a_link_to_this_service_names_no_host() -> None:
    links = EvidenceLinks(CountingEvidence(), same_origin=True)
    assert links.link(KEY) == f"/bucket/{KEY}?n=1"


def test_only_so_many_links_are_remembered() -> None:
    evidence = CountingEvidence()
    links = EvidenceLinks(evidence, same_origin=True)
    for number in range(5000):
        links.link(f"2026/06/01/{number:064x}.jpg")
    assert evidence.signed == 5000
    links.link(f"2026/06/01/{4999:064x}.jpg")
    assert evidence.signed == 5000
    links.link(f"2026/06/01/{0:064x}.jpg")
    assert evidence.signed == 5001
