"""One HTTP exchange with a receiver, bounded in time and size whatever the other side does.

httpx's own time-outs start anew with each byte that arrives, so a receiver that drips would hold us
for ever. Here one deadline covers everything from the name look-up to the end of the answer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from pipeline.delivery.schedule import Answer
from pipeline.domain import Receiver

ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are read; the connection is closed on the rest."""
_SHOWN = 200
"""Characters of an answer that are kept for the operator."""

Transport = httpx.AsyncBaseTransport


def post(
    receiver: Receiver, headers: Mapping[str, str], body: bytes, transport: Transport | None = None
) -> Answer:
    """POST ``body``; what came back as an `Answer`, never an exception of the network.

    No redirect is followed; proxies from the environment are not used; certificates are checked
    against ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` if set, else certifi's. ``transport`` None: the
    network. To be called from a thread that runs no event loop.
    """
    return asyncio.run(_exchange(receiver, headers, body, transport))


async def _exchange(
    receiver: Receiver, headers: Mapping[str, str], body: bytes, transport: Transport | None
) -> Answer:
    try:
        async with (
            asyncio.timeout(receiver.timeout_s),
            httpx.AsyncClient(
                transport=transport,
                verify=_certificates(),
                timeout=receiver.timeout_s,
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("POST", receiver.url, headers=dict(headers), content=body) as response,
        ):
            text = await _read(response)
            return Answer(response.status_code, response.headers.get("retry-after"), text)
    except TimeoutError:
        return Answer(None, detail=f"no complete answer within {receiver.timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        return Answer(None, detail=f"{type(error).__name__}: {error}"[:_SHOWN])


async def _read(response: httpx.Response) -> str:
    """The start of the answer as one printable line."""
    content = b""
    # Raw bytes: decompressing would let a small answer grow large.
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) >= ANSWER_LIMIT:
            break
    text = content[: 4 * _SHOWN].decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:_SHOWN]


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()
