from __future__ import annotations

from typing import Any

import pytest

import camera_adapters
from camera_adapters import OPENERS, FolderCamera, PushCamera, redact
from camera_adapters.stream import StreamCamera
from camera_adapters.video import VideoFileCamera
from pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("pictures", FolderCamera),
        ("pictures/gate.2026", FolderCamera),
        ("folder:pictures", FolderCamera),
        ("clip.mp4", VideoFileCamera),
        ("clips/a.MKV", VideoFileCamera),
        ("a.ts", VideoFileCamera),
        ("rtsp://10.0.0.8/101", StreamCamera),
        ("RTSPS://10.0.0.8/101", StreamCamera),
        ("http://10.0.0.8/video.mjpg", StreamCamera),
        ("https://10.0.0.8/live.m3u8", StreamCamera),
        ("rtmp://10.0.0.8/live", StreamCamera),
        ("push:", PushCamera),
    ],
)
def test_the_url_chooses_the_adapter(open_at: Any, url: str, kind: type) -> None:
    assert type(open_at(url)) is kind


def test_an_unknown_scheme_names_those_known_and_hides_the_password(open_at: Any) -> None:
    with pytest.raises(ConfigError, match="camera gate: nothing reads gopher:") as failure:
        open_at("gopher://admin:s3cret@10.0.0.8/x")
    assert "s3cret" not in str(failure.value)
    for scheme in OPENERS:
        assert f"{scheme}:" in failure.value.hint


def test_an_empty_url_is_a_config_error(open_at: Any) -> None:
    with pytest.raises(ConfigError, match="url is empty"):
        open_at("  ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://10.0.0.8:554/a?channel=1", "rtsp://10.0.0.8:554/a?channel=1"),
        ("rtsp://admin:hunter2@10.0.0.8/a", "rtsp://***@10.0.0.8/a"),
        ("rtsp://admin:hun@ter/2#x@10.0.0.8/a", "rtsp://***@10.0.0.8/a"),
        ("http://h/a?user=bob&pwd=hunter2&q=1", "http://h/a?user=***&pwd=***&q=1"),
        ("rtsp://h/user=bob_password=hunter2_channel=1", "rtsp://h/user=***"),
    ],
)
def test_redacted_urls_keep_no_secret(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_the_public_names_are_complete_and_sorted() -> None:
    names = camera_adapters.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(camera_adapters, name) for name in names)
