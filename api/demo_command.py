"""``brimwatch demo`` on the command line."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.delivery.messages import KIND_NAMES, SEVERITY_NAMES
from pipeline.domain import EventState
from pipeline.events import Transition

_SPEED = 60.0
_SHOWN = {
    EventState.CONFIRMED: ("●", "已确认 confirmed"),
    EventState.CLEARED: ("○", "已清除 cleared  "),
}
_SITE_ZONE = ZoneInfo("Asia/Shanghai")


def demo(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Play the footage to its end, print a summary, exit.")
    ] = False,
    speed: Annotated[
        float | None,
        typer.Option(min=0, help="Times real time; 0: as fast as it goes (default with --once)."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page (8080, or a free one).")
    ] = None,
    state: Annotated[
        Path, typer.Option(help="Folder of the demo; an interrupted one is taken up.")
    ] = Path(".brimwatch/demo"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew even if a demo was interrupted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Everything on embedded defaults: eight simulated points, the page, a county stand-in."""
    from api.demo import demo_running, outcome
    from pipeline.logs import set_up_logs

    set_up_logs(level=logging.WARNING)
    playing = speed if speed is not None else (0.0 if once else _SPEED)
    with demo_running(
        state, speed=playing, host=host, port=_free(host, port), fresh=fresh, on_event=_show
    ) as running:
        names = {point.point_id: point.name for point in running.system.points}
        _say("满溢哨 Brimwatch: 画面为模拟（数字孪生） the footage is simulated (digital twin)")
        if running.resumed:
            _say("接着上次中断处继续 taking up the demo that was interrupted (--fresh starts anew)")
        _say(f"页面 page            {running.page}/")
        _say(f"县中心示例 stand-in   {running.county}/")
        pace = "as fast as it goes" if playing == 0 else f"{playing:g} times real time"
        _say(f"播放 playing         {len(names)} points, {pace}; Ctrl-C 停止 stops")
        try:
            while not running.finished:
                time.sleep(0.1)
        except KeyboardInterrupt:
            _say("已中断，下次继续 interrupted; the next demo takes it up")
            return
        delivered = running.drain()
        faults = [one for one in running.system.decider.statuses().values() if one.fault]
        result = outcome(running)
        running.mark_ended()
        if as_json:
            typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
        else:
            _print_summary(result, names)
        if not once:
            _say(f"播放完毕，页面仍在 the footage has ended, the page stays: {running.page}/")
            _wait_for_interrupt()
    for one in faults:
        _say(f"{one.camera_id}: 画面不可用 gave no pictures: {one.fault}")
    if not delivered:
        _say("有消息未送达 not every message was delivered")
    if faults or not delivered:
        raise typer.Exit(1)


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def _free(host: str, port: int | None) -> int:
    """The port asked for; without one 8080, or any free one where 8080 is taken."""
    import socket

    if port is not None:
        return port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, 8080))
        except OSError:
            return 0
    return 8080


def _show(transition: Transition) -> None:
    """One line an event, as it happens."""
    event = transition.event
    if event.state not in _SHOWN or transition.message is None:
        return
    at = event.cleared_at or event.confirmed_at
    if at is None:
        return
    sign, words = _SHOWN[event.state]
    _say(
        f"{sign} {at.astimezone(_SITE_ZONE):%H:%M:%S}  {event.point_id}  {words}  "
        f"{KIND_NAMES[event.kind]}  {SEVERITY_NAMES[event.severity]}  "
        f"belief {event.peak_belief:.3f}"
    )


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _print_summary(result: dict[str, Any], names: dict[str, str]) -> None:
    typer.echo("")
    for point_id, events in result["points"].items():
        typer.echo(f"{point_id}  {names[point_id]}: {len(events)} 个事件 event(s)")
        for one in events:
            typer.echo(
                f"    suspected {one['suspected_at']}  confirmed {one['confirmed_at']}  "
                f"cleared {one['cleared_at'] or '—'}  {one['severity']}  "
                f"delivered {one['delivered']}"
            )
    typer.echo(
        f"消息 messages: sent {result['messages_sent']}, received {result['messages_received']}, "
        f"duplicates {result['duplicates']}"
    )
