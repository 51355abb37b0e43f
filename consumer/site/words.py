"""Numbers, days and names as people read them. What is unknown is None and has no words here: the page says so."""

import math
import re
from datetime import UTC, date, datetime

from consumer import charts

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SOURCES = {
    "GITHUB": "GitHub",
    "NPM": "npm",
    "OPEN_COLLECTIVE": "Open Collective",
    "DEPS_DEV": "deps.dev",
    "OSS_DIRECTORY": "OSS Directory",
    "ECB": "ECB",
    "EVM": "all EVM chains",
    "ANY_EVM": "any EVM chain",
    "MAINNET": "Ethereum",
    "CRATES": "crates.io",
    "PYPI": "PyPI",
    "BOB": "BOB",
}
WINDOWS = {
    "daily": "a day",
    "weekly": "a week",
    "monthly": "a month",
    "quarterly": "a quarter",
    "yearly": "a year",
    "over_30_day_period": "30 days",
    "over_90_day_period": "90 days",
    "over_180_day_period": "180 days",
    "over_all_time": "all time",
}


def exact(amount: float, unit: str) -> str:
    """The amount in full with its unit, as charts have it."""
    return charts.exact(amount, unit) if math.isfinite(amount) else _endless(amount)


def short(amount: float, unit: str) -> str:
    """The amount with about three digits, as charts have it."""
    return charts.short(amount, unit) if math.isfinite(amount) else _endless(amount)


def plain(amount: float, unit: str) -> str:
    """The amount for a table: in full where it counts, short where its further digits say nothing."""
    return exact(amount, unit) if unit in ("count", "score", "epoch_day", "USD") else short(amount, unit)


def change(row: dict) -> str:
    """How the amount moved against the window before: +12 %, unchanged, up from 0; empty where not both are known.

    `row` has amount, previous_amount and unit.
    """
    now, before = row["amount"], row.get("previous_amount")
    if now is None or before is None or not (math.isfinite(now) and math.isfinite(before)):
        return ""
    if row["unit"] == "ratio":
        moved = round(now - before, 3)
        return f"{'+' if moved > 0 else '−'}{abs(moved):g}" if moved else "unchanged"
    if now == before:
        return "unchanged"
    if before <= 0 or now < 0:
        return f"{'up' if now > before else 'down'} from {short(before, row['unit'])}"
    percent = (now - before) / before * 100
    return f"{'+' if percent > 0 else '−'}{abs(percent):,.{0 if abs(percent) >= 1 else 1}f} %"


def seen(row: dict) -> str:
    """The sentence behind the mark "partial": how much of what the number needs was seen."""
    share = row.get("coverage")
    if share is None:
        return "Some of what this number needs was not seen."
    return f"{round(share * 100, 1):g} % of the days this number needs were seen whole; the true value can differ."


def source(name: str) -> str:
    """A source as people call it: GitHub for GITHUB."""
    return SOURCES.get(name, name.replace("_", " ").title())


def window(name: str) -> str:
    """A window in words: 30 days, a week, all time."""
    return WINDOWS.get(name, name.replace("_", " "))


def each(name: str) -> str:
    """A window as the end of a chart's title: per week, over 30 days."""
    said = window(name)
    return f"per {said.removeprefix('a ')}" if said.startswith("a ") else f"over {said}"


def day(moment: datetime | date) -> str:
    """The day as 2026-11-27, in UTC."""
    return (moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment).isoformat()


def moment(moment: datetime) -> str:
    """The minute as 2026-11-27 01:31 UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def link(address: str | None) -> str | None:
    """The address if it leads to the web (http, https); None for all others, such as javascript:."""
    return address if address and address.lower().startswith(("http://", "https://")) else None


def host(address: str) -> str:
    """An address as short as people write it: example.org/about."""
    return address.partition("://")[2].removeprefix("www.").rstrip("/")[:60]


def clean(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def _endless(amount: float) -> str:
    return "not a number" if math.isnan(amount) else "infinite" if amount > 0 else "minus infinite"
