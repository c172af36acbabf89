"""Evidence in S3: MinIO, SeaweedFS, or a cloud's object storage, through the ``minio`` SDK.

The SDK is slow to import (0.1 s), so nothing else in the pipeline imports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from pipeline.errors import ConfigError, StoreError, StoreFull, StoreUnavailable
from pipeline.store import ListedEvidence, StoredEvidence
from pipeline.store.keys import intact, is_key, missing, sha256_in, stored

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 8.0
RETRIES = 1
"""A server that hangs holds a caller for (RETRIES + 1) × READ_TIMEOUT_S, about 16 s. Longer belongs to
the spool, which keeps the picture and tries again; shorter gives up on a server that is only busy."""

MAX_LINK_LIFETIME = timedelta(days=7)
"""What S3 allows for a presigned link (Signature Version 4)."""

_DEFAULT_REGION = "us-east-1"  # what MinIO and SeaweedFS answer to; asking would cost a request
_INSUFFICIENT_STORAGE = 507


class S3Evidence:
    """An `pipeline.store.EvidenceStore` in one bucket of an S3 server; `init` creates the bucket.

    ``endpoint``: ``host:port`` without a scheme; ``secure``: TLS or not; ``region`` is needed only
    where the server insists on its own (clouds do). ``http_client`` replaces the connection pool: give
    one for a private CA, with timeouts as short as ours. Raises ConfigError for an endpoint, a bucket
    or keys that cannot be; nothing is connected before the first call.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        secure: bool,
        region: str | None = None,
        http_client: urllib3.PoolManager | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._bucket = bucket
        self._region = region or _DEFAULT_REGION
        if not access_key or not secret_key:
            raise ConfigError(
                f"S3 at {endpoint}: the access key or the secret key is empty",
                hint="give both, the secret by environment or by a file reference",
            )
        try:
            self._client = Minio(
                endpoint,
                access_key,
                secret_key,
                secure=secure,
                region=self._region,
                http_client=http_client or _connections(),
            )
        except ValueError as error:
            raise ConfigError(
                f"S3 endpoint {endpoint!r} or region {self._region!r}: {error}",
                hint="write host:port without http:// and without a path",
            ) from error

    def init(self) -> None:
        """Create the bucket. One that is there stays as it is. Raises StoreUnavailable."""
        with self._errors():
            if not self._bucket_is_there():
                self._client.make_bucket(self._bucket, self._region)

    def put(self, key: str, content: bytes) -> StoredEvidence:
        """See `pipeline.store.EvidenceStore`. The same key again writes the same bytes again.

        Raises ValueError when the key does not belong to the content.
        """
        answer = stored(key, content)
        with self._errors():
            self._client.put_object(
                self._bucket,
                key,
                BytesIO(content),
                len(content),
                content_type="image/jpeg",
                metadata={"sha256": answer.sha256},
            )
        return answer

    def get(self, key: str) -> bytes:
        """See `pipeline.store.EvidenceStore`. Raises ValueError for what is not a key."""
        sha256_in(key)
        with self._errors(key):
            response = self._client.get_object(self._bucket, key)
            try:
                content: bytes = response.read()
            finally:
                response.close()
                response.release_conn()
        return intact(key, content)

    def url(self, key: str, lifetime: timedelta) -> str:
        """A presigned GET, made without asking the server.

        Raises ValueError for a lifetime that S3 does not allow: under a second or over seven days.
        """
        sha256_in(key)
        if not timedelta(seconds=1) <= lifetime <= MAX_LINK_LIFETIME:
            raise ValueError(f"an S3 link lives from 1 s to 7 days, got {lifetime}")
        with self._errors():
            return str(self._client.presigned_get_object(self._bucket, key, expires=lifetime))

    def check(self) -> None:
        """Ask for the bucket with our keys. Raises StoreUnavailable.

        That the server has room shows only when a picture is put: S3 has no question for it.
        """
        with self._errors():
            if not self._bucket_is_there():
                raise self._no_bucket()

    def listing(self) -> Iterator[ListedEvidence]:
        """See `pipeline.store.EvidenceStore`. A thousand objects a request."""
        with self._errors():
            for found in self._client.list_objects(self._bucket, recursive=True):
                key = str(found.object_name)
                if is_key(key) and found.last_modified is not None:
                    yield ListedEvidence(key, found.size or 0, found.last_modified)

    def remove(self, key: str, *, put_before: datetime) -> bool:
        """See `pipeline.store.EvidenceStore`. In a versioned bucket the old version stays.

        S3 cannot do both in one request: a picture that is put in the milliseconds between the
        question and the removal is removed.
        """
        sha256_in(key)
        with self._errors():
            try:
                found = self._client.stat_object(self._bucket, key)
            except S3Error as error:
                if error.code in _NOT_THERE:
                    return False
                raise
            if found.last_modified is None or found.last_modified >= put_before:
                return False
            self._client.remove_object(self._bucket, key)
        return True

    def _bucket_is_there(self) -> bool:
        # Not the SDK's bucket_exists: that is a HEAD, whose answer has no body to say why it is no.
        try:
            next(self._client.list_objects(self._bucket, prefix=".check"), None)
        except S3Error as error:
            if error.code == "NoSuchBucket":
                return False
            raise
        return True

    def _no_bucket(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"S3 at {self._endpoint} has no bucket {self._bucket!r}",
            hint="run: brimwatch store init",
        )

    @contextmanager
    def _errors(self, key: str = "") -> Iterator[None]:
        """Turn what the SDK and its HTTP client raise into the store's own words."""
        try:
            yield
        except S3Error as error:
            raise self._said_by_server(error, key) from error
        except (ServerError, InvalidResponseError) as error:
            raise self._broken(error) from error
        except (MinioException, HTTPError, OSError) as error:
            raise StoreUnavailable(
                f"S3 at {self._endpoint} is not reached: {_reason(error)}",
                hint="look whether the server runs, and whether host, port and TLS are right",
            ) from error
        except ValueError as error:
            # The SDK's own checks, before anything is sent.
            raise ConfigError(
                f"S3 bucket {self._bucket!r}: {error}",
                hint="a bucket has 3 to 63 lower-case letters, digits, dots and hyphens",
            ) from error

    def _said_by_server(self, error: S3Error, key: str) -> StoreError:
        code = str(error.code)
        if code in _NOT_THERE and key:
            return missing(key, f"bucket {self._bucket} of S3 at {self._endpoint}")
        if code == "NoSuchBucket":
            return self._no_bucket()
        full = code in _FULL or getattr(error.response, "status", 0) == _INSUFFICIENT_STORAGE
        kind = StoreFull if full else StoreUnavailable
        # The message alone: the SDK's own text also carries the resource and request ids.
        return kind(
            f"S3 at {self._endpoint}, bucket {self._bucket!r}: {code}: {error.message}",
            hint=_FULL_HINT if full else _HINTS.get(code, "look at the server's log"),
        )

    def _broken(self, error: ServerError | InvalidResponseError) -> StoreError:
        """An answer that is not S3's: a proxy's page, or a server too ill to say why."""
        status = error.status_code if isinstance(error, ServerError) else error._code
        where = f"S3 at {self._endpoint} answers with HTTP {status}"
        if status == _INSUFFICIENT_STORAGE:
            return StoreFull(where, hint=_FULL_HINT)
        return StoreUnavailable(
            where, hint="look at the server's log, and whether this host and port speak S3"
        )


def _connections() -> urllib3.PoolManager:
    retries = urllib3.Retry(
        total=RETRIES,
        backoff_factor=0.2,
        status_forcelist=(500, 502, 503, 504),
        # The last answer says why; without this the pool swallows it.
        raise_on_status=False,
        # A server may ask for minutes; whoever calls us has other cameras to serve.
        respect_retry_after_header=False,
    )
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    return urllib3.PoolManager(
        timeout=timeout, retries=retries, maxsize=10, cert_reqs="CERT_REQUIRED"
    )


def _reason(error: Exception) -> str:
    """The innermost reason: the outer ones repeat the URL, which may carry a signature."""
    reason = getattr(error, "reason", None)
    return _reason(reason) if isinstance(reason, Exception) else type(error).__name__


_NOT_THERE = frozenset({"NoSuchKey", "NoSuchObject"})
_FULL = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded"})
_FULL_HINT = "free some space on the S3 server (or raise its quota)"

_HINTS = {
    "AccessDenied": "this access key may not do that: give it read, write and list on the bucket",
    "InvalidAccessKeyId": "the server does not know this access key: correct it",
    "SignatureDoesNotMatch": "the secret key is wrong (or a proxy changes the Host header)",
    "RequestTimeTooSkewed": "this clock and the server's differ too much: set both by NTP",
    "AuthorizationHeaderMalformed": "set region to the bucket's own",
    "InvalidRegion": "set region to the bucket's own",
    "SlowDown": "the server is overloaded: look at its load",
    "ServiceUnavailable": "the server is overloaded or starting: look at its log",
}
