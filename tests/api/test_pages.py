from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from pipeline.domain import EventState, MessageState, Quality, Severity


class _Page(HTMLParser):
    """The page's tags, and its texts in one line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"

    def links(self) -> list[str]:
        return [str(attrs["href"]) for tag, attrs in self.tags if tag == "a"]


def page_of(site: Any, url: str = "/", language: str = "zh-CN", **changed: Any) -> _Page:
    answer = site.client(**changed).get(url, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return _Page(answer.text)


@pytest.mark.parametrize(
    ("state", "message", "texts"),
    [
        (EventState.CONFIRMED, MessageState.DELIVERED, ("待处理 · 已确认", "已送达县中心")),
        (EventState.CONFIRMED, MessageState.WAITING, ("待处理 · 已确认", "等待送达")),
        (EventState.CONFIRMED, MessageState.DEAD, ("有 1 条消息未能送达", "需要人工处理")),
        (EventState.CLEARED, MessageState.DELIVERED, ("已清除", "清除后")),
        (EventState.REJECTED, MessageState.DELIVERED, ("已驳回", "没有清除后的图片")),
        (EventState.EXPIRED, MessageState.DELIVERED, ("摄像头失联", "确认时")),
    ],
)
def test_a_card_says_in_words_how_an_event_stands(
    site: Any, state: EventState, message: MessageState, texts: tuple[str, str]
) -> None:
    site.add_event(state=state, messages=(message,), severity=Severity.MAJOR)
    text = page_of(site).text
    for each in (*texts, "东门垃圾收集点", "和平社区 · 330106001", "大事", "垃圾满溢"):
        assert each in text


def test_times_are_those_of_the_site_with_how_long_ago(site: Any) -> None:
    site.add_event(minutes_ago=10)
    assert "发现 08:50 10 分钟前 确认 08:53 7 分钟前 持续 10 分钟" in page_of(site).text
    site.now += timedelta(days=1)
    assert "发现 6月1日 08:50 1 天前" in page_of(site).text


def test_a_card_shows_the_annotated_pictures_with_a_description_each(site: Any) -> None:
    event = site.add_event(state=EventState.CLEARED)
    pictures = [
        attrs
        for tag, attrs in page_of(site).tags
        if tag == "img" and str(attrs["src"]).startswith("/evidence/")
    ]
    assert [one["alt"] for one in pictures] == [
        "东门垃圾收集点，满溢前的画面，08:50",
        "东门垃圾收集点，确认时的画面，08:53",
        "东门垃圾收集点，清除后的画面，08:57",
    ]
    annotated = {
        one.key
        for one in site.ledger.event(event.event_id).evidence
        if one.form.value == "annotated"
    }
    assert {str(one["src"]).partition("?")[0].removeprefix("/evidence/") for one in pictures} == (
        annotated
    )
    client = site.client()
    assert all(client.get(str(one["src"])).status_code == 200 for one in pictures)


def test_simulated_footage_is_labelled_on_every_page_and_real_footage_is_not(site: Any) -> None:
    event = site.add_event()
    for url in ("/", f"/events/{event.event_id}"):
        text = page_of(site, url, simulated=True).text
        assert "本页画面为模拟画面（数字孪生），非真实监控" in text
        assert "simulated" in page_of(site, url, language="en", simulated=True).text
        assert "模拟" not in page_of(site, url).text


def test_an_empty_page_explains_itself(site: Any) -> None:
    page = page_of(site)
    assert "还没有事件" in page.text
    assert "没有待处理的事件" in page.text
    assert "No event matches this filter" in page_of(site, "/?show=open", language="en").text


def test_tiles_say_how_each_point_stands_and_why(site: Any) -> None:
    site.camera("p1-c1", last_frame_at=site.now - timedelta(minutes=2))
    site.camera("p2-c1", quality=Quality.BLOCKED)
    assert "东门垃圾收集点 正常 画面 2 分钟前" in page_of(site).text
    assert "西门 <b>& 菜场</b> 无画面 镜头被遮挡" in page_of(site).text
    site.add_event(pictures=False)
    assert "东门垃圾收集点 满溢" in page_of(site).text


def test_names_from_outside_are_text_and_never_markup(site: Any) -> None:
    site.add_event(point_id="p2")
    site.camera("p2-c1", fault="<script>alert(1)</script>")
    html = site.client().get("/").text
    assert "<b>&" not in html
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("url", "accept", "lang"),
    [
        ("/", "", "zh-CN"),
        ("/", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("/", "en-GB,en;q=0.9", "en"),
        ("/", "en;q=0.5,zh;q=0.9", "zh-CN"),
        ("/", "fr", "zh-CN"),
        ("/", "en;q=loud", "zh-CN"),
        ("/?lang=en", "zh", "en"),
        ("/?lang=zh", "en", "zh-CN"),
        ("/?lang=xx", "en", "en"),
    ],
)
def test_the_language_is_the_one_asked_for(site: Any, url: str, accept: str, lang: str) -> None:
    tag, attrs = page_of(site, url, accept).tags[0]
    assert (tag, attrs["lang"]) == ("html", lang)


def test_a_chosen_language_stays_with_the_links(site: Any) -> None:
    site.add_event()
    inner = [link for link in page_of(site, "/?lang=en").links() if link.startswith("/")]
    assert inner
    assert all("lang=" in link for link in inner)
    assert not any("lang=en" in link for link in page_of(site, "/").links() if "lang=zh" in link)
    assert "/?show=open&lang=en" in page_of(site, "/?show=open").links()


def test_both_languages_have_no_text_of_the_other(site: Any) -> None:
    english = page_of(site, "/", "en")
    words = english.text.replace("中文", "").replace("满溢哨", "")
    for point in site.service().points:
        words = words.replace(point.name, "")
    assert not re.search(r"[\u4e00-\u9fff]", words)


def test_filters_points_and_older_events_are_links(site: Any) -> None:
    for number in range(1, 24):
        site.add_event(number, minutes_ago=10 * number, state=EventState.CLEARED, pictures=False)
    site.add_event(30, minutes_ago=1, point_id="p2", pictures=False)
    first = page_of(site)
    assert first.text.count("查看详情") == 20
    older = next(link for link in first.links() if "cursor=" in link)
    second = page_of(site, older)
    assert second.text.count("查看详情") == 4
    assert "回到最新" in second.text
    assert page_of(site, "/?show=open").text.count("查看详情") == 1
    only = page_of(site, "/?point_id=p2")
    assert only.text.count("查看详情") == 1
    assert "只看点位：西门" in only.text


def test_an_event_has_a_page_of_its_own(site: Any) -> None:
    event = site.add_event(
        state=EventState.CLEARED, messages=(MessageState.DELIVERED, MessageState.DEAD)
    )
    page = page_of(site, f"/events/{event.event_id}", "en")
    for text in ("Annotated", "As captured", "Event confirmed", "county", "HTTP 500", "99.7 %"):
        assert text in page.text
    for picture in site.ledger.event(event.event_id).evidence:
        assert picture.sha256 in page.text
    bare = site.add_event(2, pictures=False, messages=(), point_id="gone")
    page = page_of(site, f"/events/{bare.event_id}", "en")
    assert "This event has no message" in page.text
    assert "No picture of the confirmation" in page.text


def test_pages_have_no_inline_style_or_script(site: Any) -> None:
    event = site.add_event()
    for url in ("/", f"/events/{event.event_id}"):
        for tag, attrs in page_of(site, url).tags:
            assert tag != "style"
            assert "style" not in attrs
            assert not any(name.startswith("on") for name in attrs)
            assert tag != "script" or attrs["src"]


def test_the_pages_own_files_are_named_with_their_hash(site: Any) -> None:
    client = site.client()
    page = page_of(site)
    files = [
        str(attrs.get("href") or attrs.get("src"))
        for tag, attrs in page.tags
        if tag in ("link", "script")
    ]
    assert len(files) == 3
    for url in files:
        assert re.search(r"\?v=[0-9a-f]{12}$", url)
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=86400"
