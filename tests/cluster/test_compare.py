"""The comparison of the engines finds what it must find; needs no server."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from tests.cluster.compare import differences

ROW = {"id": "a", "n": 1, "amount": 0.3, "at": datetime(2025, 5, 1, 12, tzinfo=UTC), "run_id": "one"}
OTHER = ROW | {"id": "b", "amount": None}


def test_equal_rows_in_another_order_agree():
    again = ROW | {
        "amount": 0.1 + 0.2,  # differs from 0.3 in the last bit
        "at": datetime(2025, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))),
        "run_id": "two",
    }
    assert differences("t", [ROW, OTHER], [OTHER, again]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "c"},
        {"n": 2},
        {"n": None},
        {"n": Decimal(1)},
        {"amount": 0.3000001},
        {"amount": None},
        {"at": datetime(2025, 5, 1, 12, 0, 1, tzinfo=UTC)},
        {"more": 1},
    ],
)
def test_every_other_difference_is_found(change):
    assert differences("t", [ROW, OTHER], [ROW | change, OTHER])


def test_a_missing_and_a_doubled_row_are_found():
    assert differences("t", [ROW, OTHER], [ROW])
    assert differences("t", [ROW, OTHER], [ROW, ROW])
    assert differences("t", [ROW, ROW, OTHER], [ROW, OTHER, OTHER])


def test_numbers_inside_json_rows_agree_however_they_are_written():
    def row(x: str) -> dict:
        return ROW | {"components": f'[{{"metric":"commits","x":{x}}}]'}

    assert differences("t", [row("10000000.3"), row("null")], [row("null"), row("1.00000003E7")]) == []
    assert differences("t", [row("0.3")], [row("0.30000000000000004")]) == []
    assert differences("t", [row("0.3")], [row("0.3001")])
    assert differences("t", [row("0.3")], [row("null")])
