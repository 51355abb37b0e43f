"""How far each source reaches and on which days it was seen: a row per family of facts, a column per day."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median_low

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from consumer.bundle import Bundle
from consumer.rest.endpoint import Parameter
from consumer.serving import Serving
from consumer.site.fields import fields
from consumer.site.pages import page

SHOWN = 30
TO = Parameter("to", "The last day that is shown", "date")
WORDS = {"full": "seen whole", "part": "seen in part", "none": "nothing seen", "": "not landed"}
STATUS = {
    "ok": "up to date",
    "late": "three days behind or more",
    "failing": "no day was seen at all",
    "off": "not landed by this deployment",
}
_SOURCES = "select * from oso.sources_v1 order by source, provider, family"
_COVERAGE = """
    select
        source, provider, family, artifact_id is null as is_whole, status,
        greatest(from_day, $first) as from_day, least(to_day, $last) as to_day,
        any_value(reason) as reason, count(*) as entities
    from oso.coverage_v1
    where to_day >= $first and from_day <= $last
    group by all
    order by all"""


@dataclass(frozen=True)
class Cell:
    """Days in a row of one status (a key of WORDS) and one sentence on it."""

    first: date
    last: date
    status: str
    why: str

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def title(self) -> str:
        """The days and what is known of them, for people."""
        days = f"{self.first}" if self.days == 1 else f"{self.first} to {self.last}"
        return f"{days}: {WORDS[self.status]}{f' – {self.why}' if self.why else ''}"


def routes(serving: Serving) -> list[Route]:
    """The route of the status page."""

    def status(request: Request) -> Response:
        bundle: Bundle = request.state.bundle
        asked = fields(request, TO)
        sources = bundle.rows(_SOURCES)
        last = asked["to"] or last_day(sources, bundle.published_at.date())
        days = [last - timedelta(days=back) for back in reversed(range(SHOWN))]
        seen = coverage(bundle, days)
        found = [
            row
            | {
                "cells": cells(days, seen[row["source"], row["provider"], row["family"]]),
                "behind": _behind(bundle, row),
            }
            for row in sources
        ]
        return page(
            request,
            "status.html",
            about="How far each source reaches, on which days it was seen whole, and every release that is kept.",
            sources=found,
            counts=[(one, sum(row["status"] == one for row in found)) for one in STATUS],
            said=STATUS,
            days=days,
            months=[(f"{month:%b %Y}", len([*of])) for month, of in groupby(days, lambda day: day.replace(day=1))],
            asked_to=asked["to"],
            earlier=last - timedelta(days=SHOWN),
            later=min(last + timedelta(days=SHOWN), bundle.published_at.date()),
            releases=serving.releases()[:50],
            served=serving.bundle.release_id,
        )

    return [Route("/status", status)]


def last_day(sources: list[dict], published: date) -> date:
    """The day that the table ends on: that of the publication, so that who is late ends early in it; but where most
    facts end more than half a table before, the day on which they do."""
    reached = [row["as_of"] for row in sources if row["enabled"] and row["as_of"]]
    usual = median_low(reached) if reached else published
    return usual if (published - usual).days > SHOWN // 2 else published


def coverage(bundle: Bundle, days: list[date]) -> dict[tuple, dict[date, tuple[str, str]]]:
    """Status and sentence of every day by source, provider and family; days of which nothing is written are not there.

    What was seen of the source as a whole counts before what was seen of its artifacts one by one.
    """
    whole, parts = defaultdict(dict), defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for row in bundle.rows(_COVERAGE, {"first": days[0], "last": days[-1]}):
        of = row["source"], row["provider"], row["family"]
        for back in range((row["to_day"] - row["from_day"]).days + 1):
            day = row["from_day"] + timedelta(days=back)
            if row["is_whole"]:
                whole[of][day] = row["status"], row["reason"] or ""
            else:
                parts[of][day][row["status"]] += row["entities"]
    found = defaultdict(dict)
    for of, by_day in parts.items():
        found[of] |= {day: _of_parts(counts) for day, counts in by_day.items()}
    for of, by_day in whole.items():
        found[of] |= by_day
    return found


def cells(days: list[date], seen: dict[date, tuple[str, str]]) -> list[Cell]:
    """The days of a row, those next to one another with the same status and sentence in one cell."""
    found = []
    for (status, why), of in groupby(days, lambda day: seen.get(day, ("", ""))):
        of = [*of]
        found.append(Cell(of[0], of[-1], status, why))
    return found


def _of_parts(counts: dict[str, int]) -> tuple[str, str]:
    asked = sum(counts.values())
    status = next(iter(counts)) if len(counts) == 1 else "part"
    return status, f"{counts.get('full', 0):,} of {asked:,} repositories, packages or accounts seen whole"


def _behind(bundle: Bundle, row: dict) -> int | None:
    """Days between the last day with any coverage and the publication."""
    return (bundle.published_at.date() - row["as_of"]).days if row["as_of"] else None
