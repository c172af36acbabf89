"""The opaque cursor of a page of events: where the page before ended."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime

from api.errors import RequestRefused
from pipeline.domain import Event, rfc3339, utc

_LONGEST = 400


def cursor_after(event: Event) -> str:
    """The cursor of the page after the one that ends with ``event``."""
    text = json.dumps([rfc3339(event.suspected_at), event.event_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """What `EventQuery.before` wants. Raises RequestRefused (422) for what is no cursor of ours."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        suspected_at, event_id = json.loads(text)
        return utc(suspected_at), str(event_id)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise RequestRefused(
            "invalid",
            "query.cursor: not a cursor of this service",
            hint="take next_cursor from the page before, unchanged",
        ) from error
