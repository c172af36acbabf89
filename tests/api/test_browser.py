"""The page in a real browser, served by a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from api.app import create_app
from pipeline.domain import EventState, Quality

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_CONTRAST = """() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const background = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!own || !node.offsetParent) continue;
    const pair = [light(parse(getComputedStyle(node).color)), light(background(node))].sort();
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.push([node.textContent.trim(), ratio]);
  }
  return poor;
}"""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A real server on a port of its own; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, access_log=False, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def url(site: Any) -> Iterator[str]:
    with serving(create_app(site.service(simulated=True))) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page and holds the browser to having nothing to complain of."""
    complaints: list[str] = []
    contexts = []

    def open_one(url: str, *, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url, wait_until="load")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _loaded(page: Page) -> list[bool]:
    """Whether each picture of an event has been loaded."""
    page.wait_for_load_state("networkidle")
    loaded: list[bool] = page.locator(".figures img").evaluate_all(
        "(all) => all.map((one) => one.complete && one.naturalWidth > 0)"
    )
    return loaded


def test_an_operator_sees_an_event_with_its_pictures(
    site: Any, url: str, open_page: Callable[..., Page]
) -> None:
    site.add_event(state=EventState.CLEARED)
    page = open_page(f"{url}/?lang=zh")
    assert page.get_by_role("article").count() == 1
    assert page.get_by_role("heading", name="东门垃圾收集点").is_visible()
    assert page.get_by_text("本页画面为模拟画面（数字孪生），非真实监控").is_visible()
    assert _loaded(page) == [True, True, True]
    page.get_by_role("link", name="English").click()
    assert page.get_by_text("This footage is simulated").is_visible()
    page.get_by_role("link", name="Details").click()
    assert page.get_by_role("heading", level=1).text_content() == "东门垃圾收集点"
    assert page.get_by_text("What happened").is_visible()
    assert len(_loaded(page)) == 6
    assert all(_loaded(page))


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_fit_phones_and_desks_and_can_be_read(
    site: Any, url: str, open_page: Callable[..., Page], width: int, language: str
) -> None:
    event = site.add_event(1, state=EventState.CLEARED)
    site.add_event(2, minutes_ago=5, point_id="p2")
    site.camera("p1-c1")
    site.camera("p2-c1", fault="Connection-refused-by-" + 60 * "x")
    for path in ("/", f"/events/{event.event_id}"):
        page = open_page(f"{url}{path}?lang={language}", width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_CONTRAST) == []
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18


def test_the_page_works_without_javascript(
    site: Any, url: str, open_page: Callable[..., Page]
) -> None:
    site.add_event(state=EventState.CLEARED)
    page = open_page(f"{url}/?lang=zh", java_script_enabled=False)
    assert page.get_by_role("article").count() == 1
    page.get_by_role("link", name="待处理", exact=True).click()
    assert page.get_by_text("没有符合筛选条件的事件").is_visible()


def test_news_comes_by_itself_and_leaves_the_rest_alone(
    site: Any, url: str, open_page: Callable[..., Page]
) -> None:
    site.camera("p1-c1")
    site.add_event(1, state=EventState.CLEARED)
    page = open_page(f"{url}/?lang=en")
    page.evaluate("document.querySelector('article').marked = true")
    page.get_by_role("link", name="Details").focus()
    site.add_event(2, minutes_ago=4)
    page.locator("article.state-confirmed").wait_for(timeout=15_000)
    assert page.get_by_role("article").count() == 2
    assert page.title().startswith("(1)")
    assert page.get_by_role("list").get_by_text("Overflowing", exact=True).is_visible()
    assert page.evaluate("document.querySelectorAll('article')[1].marked")
    assert page.evaluate("document.activeElement.className") == "button"


def test_a_keyboard_reaches_the_events_first(
    site: Any, url: str, open_page: Callable[..., Page]
) -> None:
    site.add_event()
    site.camera("p1-c1", quality=Quality.DARK)
    page = open_page(f"{url}/?lang=en")
    page.keyboard.press("Tab")
    assert page.get_by_text("Skip to the events").evaluate(
        "(one) => one === document.activeElement"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
