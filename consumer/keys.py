"""API keys: random, shown once, kept as SHA-256 in keys.db of the home, beside the daily counts of use.

A key is oi_<id>_<secret>; the id finds its row, the hash of the whole decides. What was asked, and from where, is
never written down.
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.errors import FixNeeded, Unavailable

SCOPES = ("read", "sql")
CACHED_S = 0.5  # a revoked key is refused within a second
_FORM = re.compile(r"oi_([0-9a-f]{8})_[\w-]{43}")
_SCHEMA = """
create table if not exists keys (
    key_id text primary key, sha256 text not null, name text not null, tier text not null, scopes text not null,
    created_at text not null, expires_at text, revoked_at text);
create table if not exists usage (
    day text, caller text, route text, requests integer, rows integer, seconds real, primary key (day, caller, route));
"""


@dataclass(frozen=True)
class Key:
    """A key without its secret; times are ISO 8601, UTC; `last_used` is a day."""

    key_id: str
    name: str
    tier: str
    scopes: frozenset[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used: str | None = None

    @property
    def status(self) -> str:
        """active, expired or revoked."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= _now().isoformat() else "active"


class Keys:
    """The keys of one home; safe in any thread and process."""

    def __init__(self, home: Path) -> None:
        self.path = home / "keys.db"
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[str, Key]] = {}
        self._read_at = float("-inf")

    def add(self, name: str, *, scopes: Iterable[str] = SCOPES, tier: str = "keyed", days: int | None = None) -> str:
        """Makes a key and returns it, the only time that it can be seen; `days` until it expires, None: never.

        Raises:
            FixNeeded: an unknown scope.
        """
        scopes = sorted(set(scopes))
        if not scopes or not set(scopes) <= set(SCOPES):
            raise FixNeeded(f"The scopes are {', '.join(scopes) or 'none'}; choose of {', '.join(SCOPES)}.")
        key_id = secrets.token_hex(4)
        key = f"oi_{key_id}_{secrets.token_urlsafe(32)}"
        expires = (_now() + timedelta(days=days)).isoformat() if days else None
        row = (key_id, _sha256(key), name, tier, ",".join(scopes), _now().isoformat(), expires, None)
        with self._open() as db, db:
            db.execute("insert into keys values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        return key

    def all(self) -> list[Key]:
        """Every key there ever was, oldest first."""
        return [key for _, key in self._load().values()]

    def revoke(self, key_id: str) -> None:
        """Ends a key.

        Raises:
            FixNeeded: there is none of this id.
        """
        with self._open() as db, db:
            revoke = "update keys set revoked_at = coalesce(revoked_at, ?) where key_id = ?"
            if not db.execute(revoke, (_now().isoformat(), key_id)).rowcount:
                raise FixNeeded(f"There is no key {key_id!r}; python -m consumer keys list shows the ids.")

    @property
    def exist(self) -> bool:
        """Whether a key was ever made here."""
        return bool(self._cached())

    def find(self, text: str) -> Key | None:
        """The active key that `text` is, as of half a second ago at most."""
        form = _FORM.fullmatch(text)
        sha256, key = self._cached().get(form[1] if form else "", ("", None))
        right = hmac.compare_digest(sha256, _sha256(text))
        return key if right and key and key.status == "active" else None

    def count(self, used: dict[tuple[str, str, str], tuple[int, int, float]]) -> None:
        """Adds requests, rows and seconds of SQL to what (day, caller, route) used so far."""
        add = """
            insert into usage values (?, ?, ?, ?, ?, ?) on conflict do update set requests = requests +
            excluded.requests, rows = rows + excluded.rows, seconds = seconds + excluded.seconds"""
        with self._open() as db, db:
            db.executemany(add, [(*which, *much) for which, much in used.items()])

    def usage(self, since: str = "") -> list[tuple[str, str, str, int, int, float]]:
        """Rows of (day, tier or key id, route, requests, rows, seconds of SQL) from the day `since` on."""
        with self._open() as db:
            return db.execute("select * from usage where day >= ? order by 1, 2, 3", (since,)).fetchall()

    def _cached(self) -> dict[str, tuple[str, Key]]:
        with self._lock:
            if time.monotonic() - self._read_at > CACHED_S:
                self._rows, self._read_at = self._load() if self.path.exists() else {}, time.monotonic()
            return self._rows

    def _load(self) -> dict[str, tuple[str, Key]]:
        query = """
            select keys.*, (select max(day) from usage where caller = key_id) from keys order by created_at"""
        with self._open() as db:
            return {
                key_id: (sha256, Key(key_id, name, tier, frozenset(scopes.split(",")), *rest))
                for key_id, sha256, name, tier, scopes, *rest in db.execute(query)
            }

    def _open(self):
        try:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            db = sqlite3.connect(self.path, timeout=10)
            db.execute("pragma journal_mode = wal")
            db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(f"{self.path} cannot be opened ({error}); keys and counts are kept there.") from None
        return closing(db)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
