"""Days as text and as ticks of an axis."""

from collections.abc import Iterator
from datetime import date, timedelta

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 12000)


def in_words(day: date) -> str:
    """The day as 7 Oct 2025."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def ticks(first: date, last: date, most: int, apart: int = 1) -> list[tuple[date, str, str]]:
    """Up to `most` calendar days from `first` to `last`, `apart` days apart or more: each with its label, and its year
    where that changes."""
    found, form = _ticks(first, last, most, apart)
    labels, year = [], None
    for day in found:
        labels.append((day, form(day), "" if form is _year or day.year == year else str(day.year)))
        year = day.year
    return labels


def _ticks(first: date, last: date, most: int, apart: int):
    for step in (step for step in _DAYS if step >= apart):
        days = list(_every(first, last, step))
        if len(days) <= most:
            return days, _day
    for step in (step for step in _MONTHS if step * 31 >= apart):
        months = list(_months(first, last, step))
        if len(months) <= most:
            return months, (_month if step < 12 else _year)
    return [], _year


def _every(first: date, last: date, step: int) -> Iterator[date]:
    # steps of weeks fall on Mondays
    start = first + timedelta(days=-first.weekday() % 7) if step >= 7 else first
    for place in range(0, (last - start).days + 1, step):
        yield start + timedelta(days=place)


def _months(first: date, last: date, step: int) -> Iterator[date]:
    start = first.year * 12 + first.month - (first.day == 1)
    start += -start % step
    end = last.year * 12 + last.month - 1
    for month in range(start, end + 1, step):
        yield date(month // 12, month % 12 + 1, 1)


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _month(day: date) -> str:
    return MONTHS[day.month - 1]


def _year(day: date) -> str:
    return str(day.year)
