"""Whether a configured receiver may be sent to: checked at start, with errors a person can mend.

Private addresses are allowed, since county centres sit on private networks. What is refused is what
no county has: other schemes than HTTP, passwords in the URL (they end up in logs), and the
link-local addresses at which cloud machines hand out their own credentials. Redirects are never
followed, so a receiver cannot send us elsewhere either. A host *name* is not resolved here: whoever
may write the configuration decides whom we talk to.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from pipeline.delivery.signature import check_secret
from pipeline.domain import Receiver
from pipeline.errors import ConfigError

_SCHEMES = ("http", "https")
_CREDENTIAL_HOSTS = frozenset({ipaddress.ip_address("100.100.100.200")})
"""Alibaba Cloud's metadata service; the other clouds' is link-local."""


def check_receiver(receiver: Receiver) -> None:
    """Raise ConfigError, naming receiver and field, unless it can be sent to."""
    where = f"receiver {receiver.name!r}"
    try:
        parts = urlsplit(receiver.url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{where}: url is not a URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{where}: url must hold no user name or password",
            hint="messages are signed with the receiver's secret instead",
        )
    if parts.scheme not in _SCHEMES or not parts.hostname or port == 0:
        raise ConfigError(
            f"{where}: url must be http:// or https:// with a host, got {receiver.url!r}",
            hint="for example https://county.example/events",
        )
    if parts.fragment:
        raise ConfigError(f"{where}: url must hold no #fragment, got {receiver.url!r}")
    if _hands_out_credentials(parts):
        raise ConfigError(
            f"{where}: url points at {parts.hostname}, where machines keep their own credentials",
            hint="use the county centre's own address",
        )
    if not receiver.timeout_s > 0:
        raise ConfigError(
            f"{where}: timeout_s must be over 0, got {receiver.timeout_s}", hint="15 to 30 is usual"
        )
    try:
        check_secret(receiver.secret)
    except ConfigError as error:
        raise ConfigError(f"{where}: secret: {error.args[0]}", hint=error.hint) from error


def _hands_out_credentials(parts: SplitResult) -> bool:
    try:
        address = ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address in _CREDENTIAL_HOSTS
