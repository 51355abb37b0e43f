"""Numbers as text and as round steps of an axis."""

from datetime import date, timedelta
from math import ceil, floor, log10

DAY, HOUR, MINUTE = 86_400, 3_600, 60
_SHORT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_PLAIN = ("count", "score", "ratio", "index")
WHOLE = ("count", "score", "epoch_day")


def short(amount: float, unit: str) -> str:
    """The amount with about three digits, such as 1.2 M, $340 or 4.6 d."""
    if unit == "epoch_day":
        return exact(amount, unit)
    if unit == "seconds":
        size = step_unit(abs(amount), unit)
        return f"{_three(amount / size)} {({DAY: 'd', HOUR: 'h', MINUTE: 'min'}).get(size, 's')}"
    if unit == "days":
        return f"{_three(amount)} d"
    if unit == "USD":
        return f"{'-' * (amount < 0)}${_three(abs(amount))}"
    return _three(amount) if unit in _PLAIN else f"{_three(amount)} {unit}"


def exact(amount: float, unit: str) -> str:
    """The amount in full with its unit, such as 1,234,567 or 1,234.5 USD."""
    if unit == "epoch_day":
        try:
            return (date(1970, 1, 1) + timedelta(days=amount)).isoformat()
        except OverflowError:
            unit = "days after 1970-01-01"
    text = f"{amount:,.0f}" if amount == floor(amount) and abs(amount) < 1e15 else f"{amount:,.10g}"
    return text if unit in _PLAIN else f"{text} {unit}"


def step_unit(largest: float, unit: str) -> int:
    """How many of `unit` one step of its axis is counted in: seconds in days, hours or minutes where there are many."""
    if unit != "seconds":
        return 1
    return next((size for size in (DAY, HOUR, MINUTE) if largest >= 2 * size), 1)


def ticks(low: float, high: float, unit: str, most: int = 4) -> list[float]:
    """Round numbers, the first not above `low` and the last not below `high`, with about `most` steps between."""
    size = step_unit(max(abs(low), abs(high)), unit)
    low, high = low / size, high / size
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= raw * 0.999)
    if unit in WHOLE:
        step = max(step, 1.0)
    first = floor(low / step + 1e-9)
    last = max(ceil(high / step - 1e-9), first + 1)
    return [float(f"{place * step * size:.12g}") for place in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Powers of ten around `low` and `high`, both above 0; every second, third ... where there are many."""
    first, last = floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9)
    last = max(last, first + 1)
    step = ceil((last - first) / most)
    return [10.0**power for power in range(first, last + step, step)]


def _three(amount: float) -> str:
    size = abs(amount)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{amount:.2g}"
    for much, letter in _SHORT:
        if size >= 0.9995 * much:
            return f"{_digits(amount / much)} {letter}"
    return _digits(amount)


def _digits(amount: float) -> str:
    size = abs(amount)
    if size >= 99.95 or amount == floor(amount):
        return f"{amount:.0f}"
    return f"{amount:.1f}" if size >= 9.995 else f"{amount:.3g}"
