"""What the pages say, in Chinese and English, and how they say times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["zh", "en"]

_TEXTS: Mapping[str, tuple[str, str]] = {
    "product": ("满溢哨", "Brimwatch"),
    "tagline": ("环卫点位满溢监测", "Watching sanitation points"),
    "other_language": ("English", "中文"),
    "skip": ("跳到事件列表", "Skip to the events"),
    "simulated": (
        "本页画面为模拟画面（数字孪生），非真实监控。",
        "This footage is simulated (a digital twin). It is not from real cameras.",
    ),
    "points": ("点位", "Points"),
    "events": ("事件", "Events"),
    "filter": ("筛选事件", "Filter events"),
    "filter.all": ("全部", "All"),
    "filter.open": ("待处理", "Open"),
    "filter.cleared": ("已清除", "Cleared"),
    "filter.point": ("只看点位：{point}", "Only this point: {point}"),
    "filter.point.off": ("取消", "Remove"),
    "summary": ("{open} 件待处理", "{open} open"),
    "summary.none": ("没有待处理的事件", "Nothing is open"),
    "dead": (
        "有 {count} 条消息未能送达，需要人工处理。",
        "Messages that could not be delivered: {count}. A person has to look at them.",
    ),
    "older": ("更早的事件", "Older events"),
    "newest": ("回到最新", "Back to the newest"),
    "back": ("返回事件列表", "Back to the events"),
    "empty.title": ("还没有事件", "No events yet"),
    "empty.text": (
        "垃圾桶满溢并持续约三分钟后，会在这里出现一张事件卡片，附前后对比图片。本页会自动更新。",
        (
            "When a bin has been overflowing for about three minutes, an event appears here with "
            "pictures from before and after. This page updates by itself."
        ),
    ),
    "empty.filtered.title": ("没有符合筛选条件的事件", "No event matches this filter"),
    "empty.filtered.text": ("可改看全部事件。", "Look at all events instead."),
    "point.ok": ("正常", "All clear"),
    "point.overflowing": ("满溢", "Overflowing"),
    "point.no_picture": ("无画面", "No picture"),
    "picture_at": ("画面", "Picture"),
    "picture_never": ("尚未收到画面", "No picture yet"),
    "quality.ok": ("画面正常", "Picture is fine"),
    "quality.dark": ("画面过暗", "Too dark to judge"),
    "quality.bright": ("画面过亮", "Too bright to judge"),
    "quality.blurred": ("画面模糊", "Blurred"),
    "quality.frozen": ("画面静止不动", "Frozen picture"),
    "quality.blocked": ("镜头被遮挡", "The view is blocked"),
    "quality.moved": ("镜头被移动", "The camera was moved"),
    "quality.corrupt": ("画面损坏", "Damaged picture"),
    "state.suspected": ("疑似", "Suspected"),
    "state.confirmed": ("待处理 · 已确认", "Open · confirmed"),
    "state.cleared": ("已清除", "Cleared"),
    "state.dismissed": ("疑似已排除", "Suspicion passed"),
    "state.rejected": ("已驳回", "Rejected"),
    "state.expired": ("摄像头失联", "Camera lost"),
    "kind.overflow": ("垃圾满溢", "Overflowing bin"),
    "kind.litter": ("暴露垃圾", "Litter on the ground"),
    "severity": ("分级", "Severity"),
    "severity.micro": ("微事", "Micro"),
    "severity.minor": ("小事", "Minor"),
    "severity.major": ("大事", "Major"),
    "delivery": ("送达", "Delivery"),
    "delivery.none": ("无消息", "No message"),
    "delivery.waiting": ("等待送达", "Waiting to be delivered"),
    "delivery.delivered": ("已送达县中心", "Delivered to the county centre"),
    "delivery.attention": ("需要人工处理", "Needs a person"),
    "role.before": ("满溢前", "Before"),
    "role.confirmed": ("确认时", "Confirmed"),
    "role.after": ("清除后", "After"),
    "form.raw": ("原图", "As captured"),
    "form.annotated": ("标注图", "Annotated"),
    "picture_alt": ("{point}，{role}的画面，{time}", "{point}, {role}, picture of {time}"),
    "no_picture.before": ("没有满溢前的图片", "No picture from before"),
    "no_picture.confirmed": ("没有确认时的图片", "No picture of the confirmation"),
    "no_picture.after": ("没有清除后的图片", "No picture from after"),
    "not_yet.after": ("尚未清除", "Not cleared yet"),
    "suspected_at": ("发现", "Noticed"),
    "confirmed_at": ("确认", "Confirmed"),
    "cleared_at": ("清除", "Cleared"),
    "ended_at": ("结束", "Ended"),
    "lasted": ("持续", "Lasted"),
    "details": ("查看详情", "Details"),
    "details_of": ("查看详情：{point}，{time}", "Details: {point}, {time}"),
    "course": ("经过", "What happened"),
    "pictures": ("图片", "Pictures"),
    "messages": ("送达记录", "Messages"),
    "messages.none": ("这个事件没有消息。", "This event has no message."),
    "receiver": ("接收方", "Receiver"),
    "what": ("内容", "What"),
    "standing": ("状态", "State"),
    "attempts": ("尝试次数", "Attempts"),
    "last_error": ("最近错误", "Last error"),
    "message.waiting": ("等待送达", "Waiting"),
    "message.delivered": ("已送达", "Delivered"),
    "message.dead": ("需要人工处理", "Needs a person"),
    "type.event.confirmed": ("事件确认", "Event confirmed"),
    "type.event.updated": ("事件更新", "Event updated"),
    "type.event.cleared": ("事件清除", "Event cleared"),
    "type.event.retracted": ("事件撤回", "Event retracted"),
    "type.camera.impaired": ("摄像头异常", "Camera impaired"),
    "type.camera.restored": ("摄像头恢复", "Camera restored"),
    "record": ("记录", "Record"),
    "community": ("社区", "Community"),
    "grid_code": ("网格", "Grid"),
    "location": ("位置（WGS 84）", "Location (WGS 84)"),
    "camera": ("摄像头", "Camera"),
    "zone": ("区域", "Zone"),
    "belief": ("最高满溢概率", "Peak belief"),
    "event_id": ("事件编号", "Event id"),
    "model": ("模型", "Model"),
    "updated": ("更新于", "Updated"),
    "times_in": ("时间均为 {zone}", "Times are in {zone}"),
    "offline": ("连接中断，正在重试", "Connection lost, trying again"),
    "changed": ("页面已更新", "The page has been updated"),
    "problem.title": ("这一页打不开", "This page cannot be shown"),
    "problem.404": ("没有这一页，或这个事件不存在。", "There is no such page or event."),
    "problem.422": ("网址中有一项不正确。", "Something in the address is not right."),
    "problem.500": ("服务出错，已记入日志。", "Something went wrong here. It is in the log."),
    "problem.503": (
        "暂时读不到事件记录。监测仍在进行，请稍后再试。",
        "Events cannot be read right now. Please try again in a while.",
    ),
    "problem.other": ("请求没有完成。", "The request was not completed."),
}

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Words:
    """The texts of one language.

    >>> Words("en")("summary", open=2)
    '2 open'
    """

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._index = 0 if language == "zh" else 1

    @property
    def other(self) -> Language:
        """The language that a reader can change to."""
        return "en" if self.language == "zh" else "zh"

    @property
    def tag(self) -> str:
        """For the ``lang`` attribute of a page."""
        return "zh-CN" if self.language == "zh" else "en"

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key``, with ``{names}`` filled in. Raises KeyError for an unknown key."""
        text = _TEXTS[key][self._index]
        return text.format(**values) if values else text

    def span(self, length: timedelta) -> str:
        """How long, in whole minutes, hours or days, rounded down.

        >>> Words("en").span(timedelta(hours=2, minutes=5)), Words("zh").span(timedelta(minutes=5))
        ('2 h 5 min', '5 分钟')
        """
        zh = self.language == "zh"
        if length < _MINUTE:
            return "不到 1 分钟" if zh else "less than a minute"
        if length < _HOUR:
            return f"{length // _MINUTE} {'分钟' if zh else 'min'}"
        if length < _DAY:
            hours, minutes = length // _HOUR, (length % _HOUR) // _MINUTE
            rest = f" {minutes} {'分钟' if zh else 'min'}" if minutes else ""
            return f"{hours} {'小时' if zh else 'h'}{rest}"
        days = length // _DAY
        return f"{days} {'天' if zh else 'day' if days == 1 else 'days'}"

    def ago(self, moment: datetime, now: datetime) -> str:
        """How long ago; a moment in the future (clocks differ a little) counts as now.

        >>> from datetime import UTC
        >>> now = datetime(2026, 6, 1, tzinfo=UTC)
        >>> Words("zh").ago(now - timedelta(minutes=3), now), Words("en").ago(now, now)
        ('3 分钟前', 'just now')
        """
        zh = self.language == "zh"
        if now - moment < _MINUTE:
            return "刚刚" if zh else "just now"
        return f"{self.span(now - moment)}{'前' if zh else ' ago'}"

    def time(self, moment: datetime, now: datetime, zone: ZoneInfo) -> str:
        """A time in the site's zone: the date too unless it is today's there."""
        local, today = moment.astimezone(zone), now.astimezone(zone)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        if local.year == today.year:
            zh_date, en_date = f"{local.month}月{local.day}日", f"{local.day} {local:%b}"
        else:
            zh_date = f"{local.year}年{local.month}月{local.day}日"
            en_date = f"{local.day} {local:%b %Y}"
        return f"{zh_date if self.language == 'zh' else en_date} {local:%H:%M}"


def choose_language(asked: str | None, accept_language: str) -> Language:
    """``?lang=`` decides; else English only for a browser that wants it more than Chinese.

    >>> choose_language(None, "en-GB,en;q=0.9"), choose_language(None, "zh-CN,en;q=0.8")
    ('en', 'zh')
    >>> choose_language("zh", "en"), choose_language(None, "")
    ('zh', 'zh')
    """
    if asked == "zh":
        return "zh"
    if asked == "en":
        return "en"
    weights = {"zh": 0.0, "en": 0.0}
    for part in accept_language.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in weights:
            weights[name] = max(weights[name], _weight(parameter))
    return "en" if weights["en"] > weights["zh"] else "zh"


def _weight(parameter: str) -> float:
    text = parameter.strip().removeprefix("q=")
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
