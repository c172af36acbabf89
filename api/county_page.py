"""The reference receiver's one page, from what it got: events with what was told of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from api.county_store import Received

_CHINA = timezone(timedelta(hours=8), "北京时间")
_TYPE_NAMES = {
    "cn.brimwatch.event.confirmed.v1": "已确认",
    "cn.brimwatch.event.updated.v1": "有更新",
    "cn.brimwatch.event.cleared.v1": "已清除",
    "cn.brimwatch.event.retracted.v1": "已撤回",
    "cn.brimwatch.camera.impaired.v1": "摄像头异常",
    "cn.brimwatch.camera.restored.v1": "摄像头恢复",
}
_ROLE_NAMES = {"before": "之前", "confirmed": "确认时", "after": "之后"}
_FORM_NAMES = {"raw": "原图", "annotated": "标注"}


@dataclass(frozen=True, slots=True)
class _Picture:
    """``link`` is empty where the sender gave nothing that a browser may open."""

    label: str
    link: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Group:
    """All that was told of one subject, in order; ``data`` is of the last message."""

    subject: str
    messages: Sequence[Received]
    data: Mapping[str, Any]
    pictures: Sequence[_Picture]


def page(received: Sequence[Received], counts: Mapping[str, int], *, now: datetime) -> str:
    """The page as HTML, newest event first. Times are shown in China's zone."""
    groups: dict[tuple[str, str], list[Received]] = {}
    for one in received:
        groups.setdefault((one.source, one.subject), []).append(one)
    return _template().render(
        groups=[_group(messages) for messages in reversed(groups.values())],
        counts=counts,
        now=now,
        simulated=any(one.data.get("simulated") for one in received),
    )


def _group(messages: Sequence[Received]) -> _Group:
    seen: dict[str, _Picture] = {}
    for message in messages:
        for item in _dicts(message.data.get("evidence")):
            seen.setdefault(
                f"{item.get('key')} {item.get('role')} {item.get('form')}", _picture(item)
            )
    return _Group(messages[0].subject, messages, messages[-1].data, tuple(seen.values()))


def _picture(item: Mapping[str, Any]) -> _Picture:
    role, form = str(item.get("role", "")), str(item.get("form", ""))
    url = str(item.get("url", ""))
    return _Picture(
        label=f"{_ROLE_NAMES.get(role, role)} · {_FORM_NAMES.get(form, form)}",
        link=url if url.startswith(("http://", "https://")) else "",
        sha256=str(item.get("sha256", "")),
    )


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"


def _type_name(type_: str) -> str:
    return _TYPE_NAMES.get(type_, type_)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
    )
    environment.filters["local"] = _local
    environment.filters["type_name"] = _type_name
    return environment.get_template("county.html")
