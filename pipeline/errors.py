"""Every error that Brimwatch raises on purpose.

    BrimwatchError
    ├── ConfigError          the configuration is wrong: mend the named field
    ├── SourceError          a camera's source gives no frames
    │   ├── SourceMissing    nothing is at that path or address: correct the URL
    │   └── SourceUnreadable something is there but it is not pictures: look at the file
    ├── PictureError         bytes that are not a usable picture: the sender mends them
    ├── ModelError           weights that cannot be loaded or do not match their manifest
    ├── StoreError           evidence or ledger could not be written or read: try again later
    │   ├── StoreFull        no space left: free some, nothing was lost
    │   ├── StoreUnavailable the store does not answer: it is tried again
    │   └── EvidenceDamaged  stored bytes are gone or do not match their SHA-256: restore from a copy
    └── DeliveryError        a receiver did not take a message: it stays in the outbox

A message names the thing, the value that was found and what was expected; ``hint`` is the next step.
"""

from __future__ import annotations


class BrimwatchError(Exception):
    """Root of the tree. ``hint`` says what the reader can do next, in one line."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else ""
        return f"{message}\n    hint: {self.hint}" if self.hint else message


class ConfigError(BrimwatchError):
    """The configuration is wrong. Exit code 2."""


class SourceError(BrimwatchError):
    """A camera's source gives no frames."""


class SourceMissing(SourceError):
    """Nothing is at the source's path or address."""


class SourceUnreadable(SourceError):
    """Something is there, but it does not decode to pictures."""


class PictureError(BrimwatchError):
    """Bytes that are not a usable picture (truncated, too large, of another type)."""


class ModelError(BrimwatchError):
    """Weights that cannot be loaded, or that do not match their manifest."""


class StoreError(BrimwatchError):
    """The evidence store or the ledger could not be written or read."""


class StoreFull(StoreError):
    """No space is left on the device that holds the store."""


class StoreUnavailable(StoreError):
    """The store does not answer, or refuses us."""


class EvidenceDamaged(StoreError):
    """Stored evidence is gone, or its bytes no longer match their SHA-256."""


class DeliveryError(BrimwatchError):
    """A receiver did not take a message."""
