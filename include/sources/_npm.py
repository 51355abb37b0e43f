"""What npm's two services share: names that may be asked for, the address with its pace, and failures by package."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from include.errors import FixNeeded, OpenImpactError, RateLimited, SuspectData, Unavailable
from include.http import Answer, parse_retry_after, safe_url
from include.sources.base import Context, Coverage, Item, Rejected, sample_of

PACKAGE = re.compile(r"(?:@[\w~!'()*.-]+/)?(?!\.{1,2}$)[\w~!'()*.-]{1,214}", re.ASCII)
MOST_FAILED = 0.05  # of the packages, for a day; one package is always tolerated
MOST_IN_A_ROW = 3  # failed requests one after the other: the upstream is down


@dataclass(frozen=True)
class Address:
    """Where a service is, and the pace of requests."""

    base: str
    per_minute: float


def address(context: Context, source: str, *, per_minute: float) -> Address:
    """The address of the connection and its `?per_minute=`, else the given pace.

    Raises:
        FixNeeded: it is no web address, or the pace is no positive number.
    """
    parts = urlsplit(context.connection.urls[0])
    variable = f"AIRFLOW_CONN_{source.upper()}"
    if parts.scheme not in ("http", "https"):
        raise FixNeeded(f"{variable} must be an http:// or https:// address; npm's answers are no files.")
    asked = parse_qs(parts.query).get("per_minute")
    try:
        pace = float(asked[0]) if asked else per_minute
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        raise FixNeeded(f"{variable}: per_minute must be a number above 0, requests a minute. Correct it in .env.")
    return Address(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), pace)


def listed_packages(context: Context) -> tuple[list[str], list[str]]:
    """The registry's npm names, sorted: those that npm could know, and those that no package can have."""
    names = sorted({artifact.identity for artifact in context.listed if artifact.kind == "npm"})
    return [n for n in names if PACKAGE.fullmatch(n)], [n for n in names if not PACKAGE.fullmatch(n)]


def banned(url: str, answer: Answer, now: datetime) -> RateLimited:
    """The error for the 403 page of npm's guard, which means too many requests, not wrong credentials."""
    wait_s = parse_retry_after(answer.headers, now)
    opens = now + timedelta(seconds=wait_s) if wait_s is not None else None
    return RateLimited(
        f"{safe_url(url)}: 403, npm's guard refuses this address for a while. The task retries later; seen daily? "
        "Lower per_minute of the connection (docs/runbooks/npm.md).",
        opens,
    )


def quoted(name: str, slash: str = "/") -> str:
    """A package name in a path; `slash` is what stands between scope and name."""
    return slash.join(quote(part, safe="@") for part in name.split("/"))


@dataclass
class Failures:
    """Packages that could not be read: each costs itself, too many of them the day."""

    source: str
    stream: str
    asked: int
    found: dict[str, tuple[str, str]] = field(default_factory=dict)
    in_a_row: int = 0

    def add(self, packages: list[str], error: Exception, sample: bytes | str = "") -> None:
        """Notes packages whose common request failed.

        Raises:
            Unavailable: npm itself seems to be down.
            SuspectData: too many packages have answers that cannot be read.
        """
        reason = " ".join(str(error).split())[:300]
        self.found |= {name: (reason, sample_of(sample)) for name in packages}
        self.in_a_row = self.in_a_row + 1 if isinstance(error, Unavailable) else 0
        if self.in_a_row < MOST_IN_A_ROW and len(self.found) <= max(1, MOST_FAILED * self.asked):
            return
        kind: type[OpenImpactError] = Unavailable if isinstance(error, Unavailable) else SuspectData
        raise kind(
            f"{self.source}: {len(self.found)} of {self.asked} packages cannot be read, the last one "
            f"{packages[-1]!r}: {reason.rstrip('.')}. Nothing was landed; the former content of the day was kept."
        )

    def succeeded(self) -> None:
        """A request was answered."""
        self.in_a_row = 0

    def items(self) -> Iterator[Item]:
        """A rejected row and a coverage row for each package."""
        for name, (reason, sample) in sorted(self.found.items()):
            yield Rejected(self.stream, reason, sample, name)
            yield Coverage(self.stream, name, 1, 0, "damaged", reason)
