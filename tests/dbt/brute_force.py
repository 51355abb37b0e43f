"""The metrics of a small random world by their definitions: one window at a time, with sets and loops.

Slow and plain on purpose: it shares neither SQL nor formulas with the models it checks.
"""

import csv
import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from statistics import mean, pvariance

FAMILIES = ["commits", "pulls_opened", "pulls_closed", "reviews", "issues", "comments", "releases", "stars", "forks"]
FAMILY = {
    "COMMIT_CODE": "commits", "PULL_REQUEST_OPENED": "pulls_opened", "PULL_REQUEST_MERGED": "pulls_closed",
    "PULL_REQUEST_CLOSED": "pulls_closed", "PULL_REQUEST_REVIEW": "reviews", "PULL_REQUEST_REVIEW_COMMENT": "reviews",
    "ISSUE_OPENED": "issues", "ISSUE_CLOSED": "issues", "ISSUE_COMMENT": "comments",
    "RELEASE_PUBLISHED": "releases", "STARRED": "stars", "FORKED": "forks",
}  # fmt: skip
COUNTS = {
    "commits": ["COMMIT_CODE"], "opened_pull_requests": ["PULL_REQUEST_OPENED"],
    "merged_pull_requests": ["PULL_REQUEST_MERGED"], "closed_pull_requests": ["PULL_REQUEST_CLOSED"],
    "opened_issues": ["ISSUE_OPENED"], "closed_issues": ["ISSUE_CLOSED"],
    "comments": ["ISSUE_COMMENT", "PULL_REQUEST_REVIEW_COMMENT"], "prs_comments": ["PULL_REQUEST_REVIEW_COMMENT"],
    "pull_request_reviews": ["PULL_REQUEST_REVIEW"], "releases": ["RELEASE_PUBLISHED"],
    "stars": ["STARRED"], "forks": ["FORKED"],
}  # fmt: skip
ACT = {"COMMIT_CODE", "ISSUE_OPENED", "PULL_REQUEST_OPENED", "PULL_REQUEST_MERGED"}
UNFILTERED = {"RELEASE_PUBLISHED", "STARRED", "FORKED"}
CHANGES = {
    "change_in_active_contributors": "contributors", "change_in_new_contributors": "new_contributors",
    "change_in_full_time_contributors": "full_time_contributors",
    "change_in_part_time_contributors": "part_time_contributors",
}  # fmt: skip
FIRST_EVER = {"new_contributors", "returning_contributors", "resurrected_contributors"}
PROCESS = {
    "bot_activity", "bot_activity_share", "pull_request_acceptance_ratio", "project_velocity", "burstiness",
    "contributor_absence_factor",
}  # fmt: skip
OF_ITEMS = (
    "time_to_",
    "issue_age_",
    "pull_request_review_rate",
    "self_merge_rates",
    "days_between_releases",
)  # the world has no such tables
COMPARES = {"resurrected_contributors", "churned_contributors", "contributor_retention_rate", *CHANGES}
PERIODS = {"daily": 1, "weekly": 7, "monthly": 1, "quarterly": 3, "yearly": 12}
ROLLING = {f"over_{n}_day_period": n for n in (30, 90, 180)}
MEMBERS = {
    **{("artifact", r): [r] for r in ("r1", "r2", "r3", "r4", "r5")},
    ("project", "x"): ["r1", "r2"], ("project", "y"): ["r1", "r3"], ("project", "z"): ["r4"],
    ("collection", "k"): ["r1", "r2", "r3"],
}  # fmt: skip
BORN = {
    "r1": date(2024, 9, 1),
    "r2": date(2024, 12, 10),
    "r3": date(2025, 2, 3),
    "r4": date(2025, 8, 20),
    "r5": date(2025, 3, 1),
}
FIRST, LAST = date(2024, 11, 20), date(2025, 12, 30)  # the last week runs into the next year
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Event:
    event_id: str
    repo: str
    day: date
    kind: str
    actor: str | None
    actor_is_bot: bool
    subject_is_bot: bool
    is_own_item: bool | None
    sha: str | None


def plus_months(day: date, months: int) -> date:
    """First of the month `months` later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def period(window: str, day: date) -> tuple[date, date]:
    """First and last day of the calendar window that holds `day`."""
    if window in ("daily", "weekly"):
        first = day - DAY * (day.weekday() if window == "weekly" else 0)
        return first, first + DAY * (PERIODS[window] - 1)
    size = PERIODS[window]
    first = date(day.year, (day.month - 1) // size * size + 1, 1)
    return first, plus_months(first, size) - DAY


class RandomWorld:
    """Events of five repositories with quiet months, copied commits, bots, a lagging family and one outage of every
    family that is longer than a rolling window, `outage` = (first, last).
    """

    def __init__(self, seed: int, outage: tuple[date, date]) -> None:
        self.random, self.outage = random.Random(seed), outage
        self.days = [FIRST + DAY * n for n in range((LAST - FIRST).days + 1)]
        self.events = self._events()
        self.status = self._status()
        self.own_status = {
            (repo, day): "part"
            for repo, born in BORN.items()
            for day in self.days
            if day >= born and self.status["commits", day] == "full" and self.random.random() < 0.05
        }
        self.as_of = {f: max(d for d in self.days if self.status[f, d] != "none") for f in FAMILIES}

    def _events(self) -> list[Event]:
        pick, found = self.random, []
        shas = [f"s{n}" for n in range(60)]
        # an old pull request, opened before the archive begins
        found.append(Event("e0", "r1", date(2024, 10, 15), "PULL_REQUEST_OPENED", "a", False, False, True, None))
        # one person, back exactly a window later: the first defined change is zero
        for n, day in enumerate((date(2025, 3, 10), date(2025, 4, 9))):
            found.append(Event(f"f{n}", "r5", day, "COMMIT_CODE", "a", False, False, None, f"f{n}"))
        for repo, born in BORN.items():
            for day in (d for d in self.days if d >= born and repo != "r5"):
                busy = 0.5 if (day.month + len(repo)) % 3 == 0 else 0.06
                for _ in range(6):
                    if pick.random() > busy / 2:
                        continue
                    bot, kind = pick.random() < 0.1, pick.choice(["COMMIT_CODE", *FAMILY])
                    actor = None if pick.random() < 0.1 else "bot" if bot else pick.choice("abcde")
                    commit = kind == "COMMIT_CODE"
                    subject_is_bot = bot if commit else pick.random() < 0.1
                    sha = pick.choice(shas) if commit else None
                    own = None if commit else pick.choice([True, False, None])
                    event = Event(f"e{len(found)}", repo, day, kind, actor, bot, subject_is_bot, own, sha)
                    if not any(commit and e.sha == sha and e.repo == repo for e in found):
                        found.append(event)
        return found

    def _status(self) -> dict[tuple[str, date], str]:
        pick, status = self.random, {}
        for day in self.days:
            for family in FAMILIES:
                roll = pick.random()
                status[family, day] = "none" if roll < 0.03 else "part" if roll < 0.1 else "full"
                if self.outage[0] <= day <= self.outage[1]:
                    status[family, day] = "none"
                if family in ("commits", "stars") and day > date(2025, 11, 24):  # lags behind the others
                    status[family, day] = "none"
                if family in ("releases", "forks") and date(2025, 9, 20) <= day:  # up to the running window's start
                    status[family, day] = "none" if day < date(2025, 12, 2) else "part"
        return status


class BruteForce:
    """Every published number of one world, from its events alone."""

    def __init__(self, world: RandomWorld, catalogue: Path) -> None:
        self.world = world
        rows = csv.DictReader(catalogue.open())
        self.metrics = {
            row["metric"]: row for row in rows if row["metric_source"] == "GITHUB" and row["row_class"] != "K"
        }
        self.first_day = min(e.day for e in world.events)
        self.events_of = lru_cache(None)(self._events_of)
        self.active_days = lru_cache(None)(self._active_days)
        self.actors = lru_cache(None)(self._actors)
        self.is_known = lru_cache(None)(self._is_known)
        self.value = lru_cache(None)(self._value)
        self.counts = lru_cache(None)(self._counts)

    def families(self, metric):
        """The families of a metric, from the catalogue."""
        return tuple(self.metrics[metric]["families"].split("|"))

    def as_of(self, metric):
        """The metric's data-through day."""
        return min(self.world.as_of[f] for f in self.families(metric))

    def _events_of(self, entity):
        """The entity's events; above one repository a sha counts once, its earliest copy."""
        mine = [e for e in self.world.events if e.repo in MEMBERS[entity]]
        seen, kept = set(), []
        for event in sorted(mine, key=lambda e: (e.day, e.event_id)):
            if event.sha is None or event.sha not in seen:
                kept.append(event)
                seen.add(event.sha)
        return kept

    def _active_days(self, entity, people):
        """{day: who} for one set of people, up to the set's data-through day."""
        found: dict[date, set] = {}
        for e in self.events_of(entity):
            human = e.actor is not None and not e.actor_is_bot
            belongs = {
                "active_developers": human and e.kind == "COMMIT_CODE",
                "contributors": human and e.kind in ACT,
                "reviewers": human and e.kind.startswith("PULL_REQUEST_REVIEW") and not e.is_own_item,
                "repositories": e.kind not in ("STARRED", "FORKED")
                and (e.kind == "RELEASE_PUBLISHED" or not e.subject_is_bot),
            }[people]
            if belongs and e.day <= self.as_of(people):
                found.setdefault(e.day, set()).add(e.repo if people == "repositories" else e.actor)
        return found

    def _actors(self, entity, people, first, last):
        days = self.active_days(entity, people)
        return frozenset().union(*(who for day, who in days.items() if first <= day <= last))

    def _time_split(self, entity, people, first, last, full):
        days = self.active_days(entity, people)
        length = (last - first).days + 1
        total = 0
        for actor in self.actors(entity, people, first, last):
            worked = sum(1 for day, who in days.items() if first <= day <= last and actor in who)
            total += (worked * 30 >= 10 * length) == full
        return total

    def _value(self, entity, metric, first, last, past):
        """The amount of a window, None where it is undefined; `past` = (first, last) of the window before."""
        if metric in COUNTS:
            return sum(
                1
                for e in self.events_of(entity)
                if e.kind in COUNTS[metric] and first <= e.day <= min(last, self.as_of(metric))
                and (e.kind in UNFILTERED or not e.subject_is_bot)
            )  # fmt: skip
        if metric.startswith(OF_ITEMS):
            return None
        if metric in PROCESS:
            return self._process(entity, metric, first, min(last, self.as_of(metric)))
        if metric in ("active_developers", "contributors", "reviewers", "repositories"):
            return len(self.actors(entity, metric, first, last))
        if metric.startswith(("full_time_", "part_time_")):
            people = "contributors" if metric.endswith("contributors") else "active_developers"
            return self._time_split(entity, people, first, last, metric.startswith("full"))
        return self._life(entity, metric, first, last, past)

    def _process(self, entity, metric, first, last):
        """The metrics of how work is done, made of single events."""
        events = [e for e in self.events_of(entity) if first <= e.day <= last]
        work = [e for e in events if e.kind not in UNFILTERED]
        by_bots = sum(e.actor_is_bot for e in work)
        if metric == "bot_activity":
            return by_bots
        if metric == "bot_activity_share":
            known = sum(e.actor_is_bot or e.actor is not None for e in work)
            return by_bots / known if known else None
        kinds = [e.kind for e in work if not e.subject_is_bot]
        if metric == "pull_request_acceptance_ratio":
            merged, closed = kinds.count("PULL_REQUEST_MERGED"), kinds.count("PULL_REQUEST_CLOSED")
            return merged / (merged + closed) if merged + closed else None
        if metric == "project_velocity":
            people = len(self.actors(entity, "contributors", first, last))
            return sum(kinds.count(k) for k in ("ISSUE_CLOSED", "COMMIT_CODE", "PULL_REQUEST_REVIEW")) + 2 * people
        if metric == "burstiness":
            days = [first + DAY * n for n in range((last - first).days + 1)]
            made = Counter(e.day for e in work if not e.subject_is_bot)
            counts = [made[day] for day in days if self.is_known(entity, day)]
            return pvariance(counts) / mean(counts) if len(counts) > 1 and sum(counts) else None
        made = Counter(
            e.actor for e in work if e.kind == "COMMIT_CODE" and e.actor is not None and not e.actor_is_bot
        ).most_common()
        half = [k for k in range(1, len(made) + 1) if 2 * sum(n for _, n in made[:k]) >= sum(n for _, n in made)]
        return min(half, default=None)

    def _is_known(self, entity, day):
        """Whether any repository has data of any family of work on the day."""
        families = self.families("burstiness")
        return any(
            BORN[r] <= day and self.world.status.get((f, day), "none") != "none"
            for r in MEMBERS[entity]
            for f in families
        )

    def _life(self, entity, metric, first, last, past):
        """The metrics that look at what contributors did before the window."""
        long_ago, yesterday = date(1970, 1, 1), first - DAY
        now = self.actors(entity, "contributors", first, last)
        ever = self.actors(entity, "contributors", long_ago, yesterday)
        days = self.active_days(entity, "contributors")
        if metric == "active_days":
            return sum(1 for day in days if first <= day <= last)
        if metric in ("first_activity_date", "last_activity_date"):
            edge = min if metric.startswith("first") else max
            return (edge(days) - long_ago).days if days else None
        if metric == "new_contributors":
            return len(now - ever)
        if metric == "returning_contributors":
            return len(now & ever)
        before = self.actors(entity, "contributors", *past)
        if metric == "resurrected_contributors":
            return len((now & ever) - before)
        if metric == "churned_contributors":
            return len(before - now)
        if metric == "contributor_retention_rate":
            return len(now & before) / len(before) if before else None
        of = CHANGES[metric]
        if not ever:
            return None
        # neither X(w) nor X(p(w)) looks at a window before its own
        return self.value(entity, of, first, last, None) - self.value(entity, of, *past, None)

    def _counts(self, entity, families, first, last, as_of):
        """(required, full, part) repository-family-days of a window."""
        required = full = part = 0
        for repo in MEMBERS[entity]:
            start = max(first, BORN[repo])
            for n in range((last - start).days + 1):
                day = start + DAY * n
                for family in families:
                    required += 1
                    if day > as_of:
                        continue
                    status = self.world.status.get((family, day), "none")
                    if family == "commits":
                        status = self.world.own_status.get((repo, day), status)
                    full += status == "full"
                    part += status == "part"
        return required, full, part

    def quality(self, entity, metric, first, last, past, all_time=False):
        """(quality, coverage) of a window."""
        as_of, families = self.as_of(metric), self.families(metric)
        spans = [(first, last)]
        if metric in COMPARES:
            spans.append(past)
        parts = [self.counts(entity, families, *span, as_of) for span in spans]
        birth = min(BORN[repo] for repo in MEMBERS[entity])
        if metric in FIRST_EVER or all_time:
            required, full, part = self.counts(entity, families, min(birth, first), last, as_of)
        else:
            required, full, part = (sum(column) for column in zip(*parts, strict=True))
        coverage = full / required if required else 1.0
        if any(n > 0 and f + p == 0 for n, f, p in [*parts, (required, full, part)]):
            return "unknown", coverage
        return ("ok" if full == required else "partial"), coverage

    def windows(self, metric):
        """(window, sample date, first, last, past) of every calendar and rolling window up to the data-through day."""
        kind, as_of = self.metrics[metric]["windows"], self.as_of(metric)
        if kind == "a":
            return
        day = self.first_day
        left_out = {
            "all": (),
            "per": ("daily",),
            "wmqyr": ("daily",),
            "wmqy_a": ("daily",),
            "qyr_a": ("daily", "weekly", "monthly"),
        }.get(kind, ("daily", "weekly"))
        names = [w for w in PERIODS if w not in left_out]
        for window in names:
            first, last = period(window, day)
            while first <= as_of:
                yield window, first, first, last, period(window, first - DAY)
                first, last = period(window, last + DAY)
        for window, n in ROLLING.items():
            for at in (day + DAY * k for k in range((as_of - day).days + 1)):
                yield window, at, *self.rolling(at, n)

    @staticmethod
    def rolling(at, n):
        """First, last and past of the rolling window that ends on `at`."""
        return at - DAY * (n - 1), at, (at - DAY * (2 * n - 1), at - DAY * n)

    def series(self):
        """{(level, entity, metric, window, sample date): (amount, quality, coverage)} of every stored row."""
        found = {}
        for metric, row in self.metrics.items():
            for entity in MEMBERS:
                for window, at, *span in self.windows(metric):
                    if not self._exists(entity, metric, row["row_class"], window, at, span):
                        continue
                    quality, coverage = self.quality(entity, metric, *span)
                    if quality != "unknown":
                        amount = float(self.value(entity, metric, *span))
                        found[*entity, metric, window, at.isoformat()] = (amount, quality, coverage)
        return found

    def _exists(self, entity, metric, row_class, window, at, span):
        amount = self.value(entity, metric, *span)
        if amount is None:
            return False
        if row_class == "R" or amount != 0:
            return True
        # one closing zero after a run of a rolling series
        return window in ROLLING and bool(self.value(entity, metric, *self.rolling(at - DAY, ROLLING[window])))

    def keys(self):
        """{(level, entity, metric, window): (sample date, amount, previous amount, quality, coverage)}."""
        found = {}
        for metric, row in self.metrics.items():
            names = ROLLING if row["windows"] not in ("a", "wmqy_a") else {}
            lasting = row["windows"] in ("all", "cls_a", "a", "per", "wmqy_a", "qyr_a")
            for entity in MEMBERS:
                for window in [*names, *(["over_all_time"] if lasting else [])]:
                    found[*entity, metric, window] = self._key(entity, metric, row["row_class"], window)
        return found

    def _key(self, entity, metric, row_class, window):
        at, previous = self.as_of(metric), None
        if window == "over_all_time":
            span = (date(2023, 1, 1), at, (date(2022, 1, 1), date(2022, 12, 31)))
            quality = self.quality(entity, metric, *span, all_time=True)
        else:
            span = self.rolling(at, ROLLING[window])
            quality = self.quality(entity, metric, *span)
            past = self.rolling(span[2][1], ROLLING[window])
            if self.quality(entity, metric, *past)[0] != "unknown":
                previous = self._dense(entity, metric, row_class, past)
        amount = None if quality[0] == "unknown" else self._dense(entity, metric, row_class, span)
        return (at.isoformat(), amount, previous, *quality)

    def _dense(self, entity, metric, row_class, span):
        amount = self.value(entity, metric, *span)
        if amount is None:
            return None if row_class == "R" else 0.0
        return float(amount)
