"""npm's answers to one range of days, kept on disk: one answer serves every day of a run, and a run that was cut
goes on where it stopped.

A range costs one request a package whatever its length, and a run lands day by day. Each answer serves each of its
days once, so that a day that is landed again is asked for again.
"""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

LOOK_BACK = 28  # days before a day that tell whether it is a hole (the catalogue of metrics, 1.3)
MOST_DAYS = 365  # of one range; a longer list call is refused, a longer single call may be cut without a word
KEEP = timedelta(hours=6)
TOTAL = ""  # in the place of a package: the whole registry

Counts = list[int | None]  # a day each, null where the answer had none


class Answers:
    """Counts by package for the days first..last, both included; None for a package that npm does not know."""

    def __init__(self, first: date, last: date, path: Path | None = None) -> None:
        self.first, self.last, self._path = first, last, path
        self.counts: dict[str, Counts | None] = {}
        self.taken: set[date] = set()
        self.base, self.asked_at = "", datetime.min.replace(tzinfo=UTC)

    def add(self, package: str, counts: Counts | None) -> None:
        """Keeps one answer."""
        self.counts[package] = counts
        self._write({"package": package, "counts": counts})

    def take(self, day: date) -> None:
        """The day is fetched: it is not served from here again."""
        self._write({"taken": day.isoformat()})

    def on(self, package: str, day: date) -> int | None:
        """The count of a day as npm gave it."""
        counts = self.counts.get(package)
        return counts[(day - self.first).days] if counts else None

    def before(self, package: str, day: date) -> list[int]:
        """The counts of the LOOK_BACK days before a day, those that were given."""
        place = (day - self.first).days
        return [n for n in (self.counts.get(package) or [])[max(0, place - LOOK_BACK) : place] if n is not None]

    def _write(self, line: dict) -> None:
        if self._path:
            with self._path.open("a") as file:
                file.write("\n" + json.dumps(line, separators=(",", ":")))  # after a line that a kill may have cut


def open_answers(folder: Path | None, base: str, day: date, now: datetime, first_day: date) -> Answers:
    """What the address `base` answered within KEEP for a range that holds `day`, else an empty range.

    The range starts LOOK_BACK days before `day`, not before `first_day`, and ends MOST_DAYS later or yesterday.
    """
    first = max(day - timedelta(days=LOOK_BACK), first_day)
    last = min(first + timedelta(days=MOST_DAYS - 1), now.date() - timedelta(days=1))
    if folder is None:
        return Answers(first, last)
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.jsonl")):
        kept = _read(path)
        if kept is None or not timedelta(0) <= now - kept.asked_at <= KEEP:
            path.unlink(missing_ok=True)
        elif kept.base == base and day not in kept.taken and kept.first <= first and day <= kept.last:
            return kept
    path = folder / f"{first}_{last}.jsonl"
    path.unlink(missing_ok=True)
    answers = Answers(first, last, path)
    answers._write({"base": base, "first": first.isoformat(), "last": last.isoformat(), "asked_at": now.isoformat()})
    return answers


def _read(path: Path) -> Answers | None:
    """The answers of a file; None if it has no beginning."""
    lines = []
    with suppress(FileNotFoundError):
        for text in path.read_text().splitlines():
            with suppress(ValueError):  # the line that a kill cut
                lines.append(json.loads(text))
    if not lines or "asked_at" not in lines[0]:
        return None
    answers = Answers(date.fromisoformat(lines[0]["first"]), date.fromisoformat(lines[0]["last"]), path)
    answers.base, answers.asked_at = lines[0]["base"], datetime.fromisoformat(lines[0]["asked_at"])
    answers.counts = {line["package"]: line["counts"] for line in lines if "package" in line}
    answers.taken = {date.fromisoformat(line["taken"]) for line in lines if "taken" in line}
    return answers
