"""Windows: calendar periods, rolling periods and all time."""

from dataclasses import dataclass
from datetime import date, timedelta

CALENDAR = ("daily", "weekly", "monthly", "quarterly", "yearly")
ROLLING = {"over_30_day_period": 30, "over_90_day_period": 90, "over_180_day_period": 180}
ALL_TIME = "over_all_time"
EVERY = (*CALENDAR, *ROLLING, ALL_TIME)
CLASSIC = ("monthly", "quarterly", "yearly", *ROLLING)
NOT_DAILY = ("weekly", *CLASSIC)
ONE = timedelta(days=1)
MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Window:
    """One window with its days, both inclusive; all time starts at date.min."""

    word: str
    start: date
    end: date

    @property
    def sample_date(self) -> date:
        """The date its row carries."""
        return self.start if self.word in CALENDAR else self.end

    @property
    def length(self) -> int:
        """Full calendar length in days."""
        return (self.end - self.start).days + 1

    def previous(self) -> "Window | None":
        """The window before, by date; None for all time."""
        if self.word == ALL_TIME:
            return None
        if self.word in CALENDAR:
            return calendar(self.word, self.start - ONE)
        return rolling(self.word, self.end - timedelta(days=self.length))


def calendar(word: str, day: date) -> Window:
    """The calendar period that holds the day."""
    if word == "daily":
        return Window(word, day, day)
    if word == "weekly":
        monday = day - timedelta(days=day.weekday())
        return Window(word, monday, monday + timedelta(days=6))
    months = MONTHS[word]
    start = date(day.year, (day.month - 1) // months * months + 1, 1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return Window(word, start, date(year, month + 1, 1) - ONE)


def rolling(word: str, end: date) -> Window:
    """The rolling period that ends on the day."""
    return Window(word, end - timedelta(days=ROLLING[word] - 1), end)


def all_time(end: date) -> Window:
    """Everything up to the day."""
    return Window(ALL_TIME, date.min, end)


def newest(word: str, as_of: date) -> Window:
    """The newest window that is over on the day."""
    if word == ALL_TIME:
        return all_time(as_of)
    if word in ROLLING:
        return rolling(word, as_of)
    window = calendar(word, as_of)
    return window if window.end <= as_of else window.previous()


def series(word: str, first: date, last: date) -> list[Window]:
    """The windows of a word from the one of day `first` on; none starts (rolling: ends) after `last`."""
    found = []
    if word in ROLLING:
        return [rolling(word, first + timedelta(days=n)) for n in range((last - first).days + 1)]
    window = calendar(word, first)
    while window.start <= last:
        found.append(window)
        window = calendar(word, window.end + ONE)
    return found
