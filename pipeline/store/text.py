"""Text from strangers, made fit for every database."""

from __future__ import annotations


def readable(text: str) -> str:
    r"""The text with what a database refuses (NUL, half surrogates) replaced by U+FFFD or ``?``.

    A receiver's answer may hold anything, and PostgreSQL refuses a whole statement for one NUL.

    >>> readable("500 \x00 full \ud800")
    '500 � full ?'
    """
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
