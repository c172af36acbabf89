"""Evidence keys: their form, and the SHA-256 that they carry.

A key is made by `pipeline.store.evidence_key`. Only keys of exactly that form reach a file system
or a bucket, so a key from outside can never name anything else (``../``, an absolute path).
"""

from __future__ import annotations

import hashlib
import re

from pipeline.errors import EvidenceDamaged
from pipeline.store import StoredEvidence


class EvidenceMissing(EvidenceDamaged):
    """A picture that the ledger names is not in the store at all: restore it from a copy."""


_KEY = re.compile(
    r"[0-9]{4}/(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/(?P<sha256>[0-9a-f]{64})\.jpg"
)


def sha256_in(key: str) -> str:
    """The SHA-256 (hex) that an evidence key carries. Raises ValueError for any other text.

    >>> sha256_in("2026/06/01/" + 64 * "a" + ".jpg") == 64 * "a"
    True
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"an evidence key is yyyy/mm/dd/<64 hex digits>.jpg, got {key!r}")
    return match["sha256"]


def is_key(text: str) -> bool:
    """Whether a name is an evidence key, and not something else that lies in a store."""
    return _KEY.fullmatch(text) is not None


def stored(key: str, content: bytes) -> StoredEvidence:
    """What a store says of ``content`` under ``key``.

    Raises ValueError when the key is not one of these bytes: the caller mixed up two pictures.
    """
    expected = sha256_in(key)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"the key {key} does not belong to these bytes, their SHA-256 is {found}")
    return StoredEvidence(key=key, sha256=found, size=len(content))


def intact(key: str, content: bytes) -> bytes:
    """``content`` if it is what ``key`` promises. Raises EvidenceDamaged otherwise."""
    expected = sha256_in(key)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise EvidenceDamaged(
            f"evidence {key}: {len(content)} bytes with SHA-256 {found}, expected {expected}",
            hint="restore it from a copy; until then do not rely on this picture",
        )
    return content


def missing(key: str, where: str) -> EvidenceMissing:
    """The error for a picture that the ledger knows and the store has not."""
    return EvidenceMissing(
        f"evidence {key} is not in {where}",
        hint="restore it from a copy, or look whether the store was changed in the configuration",
    )
