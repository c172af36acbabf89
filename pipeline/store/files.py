"""Evidence in a folder: for one machine, and for trying Brimwatch out.

A picture is either there whole or not at all, whatever moment the power goes: it is written beside
its place, flushed to the disk, renamed, and the rename is flushed too. A process that was killed
may leave a ``.put-…`` file behind; no key names such a file and it can be deleted.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.durable import flush_directory, write_whole
from pipeline.errors import ConfigError, StoreFull, StoreUnavailable
from pipeline.store import ListedEvidence, StoredEvidence
from pipeline.store.keys import intact, is_key, missing, sha256_in, stored

MIN_FREE_BYTES = 64 * 1024 * 1024
"""Under this `FolderEvidence.check` says that the folder is full: a few hundred pictures are left,
time enough to act before one is refused. Higher warns earlier; lower may warn too late."""

MIN_LINK_KEY_BYTES = 16
"""128 bits: what is needed for nobody to guess it."""

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def _now() -> datetime:
    return datetime.now(UTC)


class FolderEvidence:
    """An `pipeline.store.EvidenceStore` in the folder ``root``, which `init` creates.

    ``base_url`` is where the service answers for evidence; a link is
    ``{base_url}/{key}?expires=<unix seconds>&signature=<hex>``, the signature being HMAC-SHA-256
    with ``link_key`` (at least 16 random bytes; every process of one site needs the same).
    ``clock`` gives the time (UTC) from which a link's lifetime counts.

    ``root`` must exist when a picture is put: a disk that is not mounted must not be mistaken for
    an empty one. Raises ConfigError for a link key that is too short.
    """

    def __init__(
        self,
        root: Path,
        *,
        base_url: str = "/evidence",
        link_key: bytes,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if len(link_key) < MIN_LINK_KEY_BYTES:
            raise ConfigError(
                f"the key that signs evidence links has {len(link_key)} bytes, "
                f"expected at least {MIN_LINK_KEY_BYTES}",
                hint="make one with: openssl rand -hex 32",
            )
        self.root = root
        self._base_url = base_url.rstrip("/")
        self._link_key = link_key
        self._clock = clock

    def init(self) -> None:
        """Create the folder. One that is there stays as it is. Raises StoreUnavailable."""
        with self._errors("create"):
            self.root.mkdir(parents=True, exist_ok=True)
            flush_directory(self.root.parent)

    def put(self, key: str, content: bytes) -> StoredEvidence:
        """See `pipeline.store.EvidenceStore`. A damaged copy under the key is replaced.

        Raises ValueError when the key does not belong to the content.
        """
        answer = stored(key, content)
        path = self.root / key
        with self._errors("write"):
            self._make_day(path.parent)
            with _day(path.parent, fcntl.LOCK_SH):
                if _holds(path, content):
                    os.utime(path)  # so that a sweep sees that somebody wants it
                else:
                    write_whole(path, content)
                # Also when it was there: the process that renamed it may have died before this.
                flush_directory(path.parent)
        return answer

    def get(self, key: str) -> bytes:
        """See `pipeline.store.EvidenceStore`. Raises ValueError for what is not a key."""
        sha256_in(key)
        with self._errors("read"):
            try:
                content = (self.root / key).read_bytes()
            except FileNotFoundError:
                raise missing(key, f"folder {self.root}") from None
        return intact(key, content)

    def url(self, key: str, lifetime: timedelta) -> str:
        """A signed link. It says nothing of whether the picture is there."""
        sha256_in(key)
        expires = int((self._clock() + lifetime).timestamp())
        return f"{self._base_url}/{key}?expires={expires}&signature={self._sign(key, expires)}"

    def link_is_valid(self, key: str, expires: int, signature: str, now: datetime) -> bool:
        """Whether a link was signed by us and has not expired at ``now``. Takes constant time."""
        # Bytes: compare_digest refuses texts that are not ASCII, and this one is a stranger's.
        signed = hmac.compare_digest(
            self._sign(key, expires).encode(), signature.encode("utf-8", "replace")
        )
        return signed and now.timestamp() < expires

    def check(self) -> None:
        """Write and remove a small file, and look at the free space.

        Raises StoreUnavailable, or StoreFull under `MIN_FREE_BYTES`.
        """
        with self._errors("write"):
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".put-") as probe:
                probe.write(b"brimwatch")
                probe.flush()
                os.fsync(probe.fileno())
            free = shutil.disk_usage(self.root).free
        if free < MIN_FREE_BYTES:
            raise StoreFull(
                f"evidence folder {self.root} has {free // 2**20} MiB left, "
                f"expected at least {MIN_FREE_BYTES // 2**20} MiB",
                hint="free some space, or move evidence to a larger disk",
            )

    def listing(self) -> Iterator[ListedEvidence]:
        """See `pipeline.store.EvidenceStore`. One day's folder is read at a time."""
        with self._errors("list"):
            for day in sorted(self.root.glob("[0-9]*/[0-9]*/[0-9]*/")):
                for path in sorted(day.iterdir()):
                    key = path.relative_to(self.root).as_posix()
                    if not is_key(key):
                        continue
                    with suppress(FileNotFoundError):  # removed meanwhile
                        found = path.stat()
                        put_at = datetime.fromtimestamp(found.st_mtime, UTC)
                        yield ListedEvidence(key, found.st_size, put_at)

    def remove(self, key: str, *, put_before: datetime) -> bool:
        """See `pipeline.store.EvidenceStore`. No put of the same day runs in between."""
        sha256_in(key)
        path = self.root / key
        with self._errors("remove"):
            try:
                with _day(path.parent, fcntl.LOCK_EX):
                    if path.stat().st_mtime >= put_before.timestamp():
                        return False
                    path.unlink()
                    flush_directory(path.parent)
            except FileNotFoundError:
                return False
        return True

    def _sign(self, key: str, expires: int) -> str:
        return hmac.new(
            self._link_key, f"{key}\n{expires}".encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()

    def _make_day(self, directory: Path) -> None:
        """The folders between ``root`` and a picture, each flushed into the one that holds it."""
        if directory == self.root or directory.is_dir():
            return
        self._make_day(directory.parent)
        with suppress(FileExistsError):
            directory.mkdir()
        flush_directory(directory.parent)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn an OSError into the store's own words."""
        try:
            yield
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise StoreFull(
                    f"cannot {what} evidence in folder {self.root}: {os.strerror(error.errno)}",
                    hint="free some space on that disk (or raise the quota)",
                ) from error
            raise StoreUnavailable(
                f"cannot {what} evidence in folder {self.root}: {error.strerror or error}",
                hint=_HINTS.get(error.errno or 0, "look at the disk (dmesg) and its mount"),
            ) from error


_HINTS = {
    errno.ENOENT: "mount the disk, or create the folder with: brimwatch store init",
    errno.ENOTDIR: "something on that path is a file: name another folder in the configuration",
    errno.EACCES: "give the user that runs Brimwatch the right to write there",
    errno.EPERM: "give the user that runs Brimwatch the right to write there",
    errno.EROFS: "the disk is mounted read-only, often after a disk error: look at dmesg",
}


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


@contextmanager
def _day(directory: Path, lock: int) -> Iterator[None]:
    """Hold a day's folder: puts share it, a removal has it alone, in whatever process they are."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, lock)
        yield
    finally:
        os.close(handle)
