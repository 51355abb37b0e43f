"""From GitHub's JSON objects to rows; every value is checked, since the answer is outside text."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from include.sources._archive_parse import hash_email

LONGEST_TEXT = 10_000
INT64 = 1 << 63
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Account(NamedTuple):
    """Who did something; all None if the account is gone."""

    id: int | None = None
    login: str | None = None
    kind: str | None = None


def number(value: Any) -> int:
    """An integer, also as the text that GitHub's BigInt is."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -INT64 <= value < INT64:
        raise ValueError("no number")
    return value


def moment(value: Any) -> datetime:
    """A time of GitHub's as aware UTC."""
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("no time")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at.astimezone(UTC)


def text(value: Any) -> str:
    """Text, without NUL and cut at 10,000 characters."""
    if not isinstance(value, str):
        raise ValueError("no text")
    return value.replace("\x00", "\ufffd")[:LONGEST_TEXT]


def git_sha(value: Any) -> str:
    """A commit id, of SHA-1 or SHA-256."""
    if not isinstance(value, str) or not SHA.fullmatch(value):
        raise ValueError("no commit id")
    return value


def flag(value: Any) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise ValueError("no boolean")
    return value


def need(node: Any, key: str, as_type: Callable[[Any], Any]) -> Any:
    """A field that must be there.

    Raises:
        ValueError: it is not, or is of another type; the text names it.
    """
    value = node.get(key) if isinstance(node, Mapping) else None
    try:
        return as_type(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{key} is {str(value)[:40]!r}, {error}") from None


def may(node: Any, key: str, as_type: Callable[[Any], Any]) -> Any:
    """A field that may be null or missing."""
    return None if not isinstance(node, Mapping) or node.get(key) is None else need(node, key, as_type)


def account(node: Any, key: str) -> Account:
    """The account in a field. GraphQL names bots without the `[bot]` that REST and the archive write."""
    found = node.get(key) if isinstance(node, Mapping) else None
    if found is None:
        return Account()
    kind, login = may(found, "__typename", text) or "User", may(found, "login", text)
    if kind == "Bot" and login and not login.endswith("[bot]"):
        login = f"{login}[bot]"
    return Account(may(found, "databaseId", number), login, kind)


def object_id(node: Any) -> int:
    """The number of an issue, comment or review."""
    return need(node, "fullDatabaseId", number)


def email(value: Any) -> str:
    """An e-mail in the archive's hashed form."""
    return hash_email(text(value)) or ""
