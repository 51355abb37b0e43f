"""Rows of a wide table by project against those of the oracle."""

import pytest

BY_RUN = ["computed_at", "run_id"]  # at the end of every row


def differences(rows: list[dict], expected: dict[tuple[str, str], dict]) -> list[tuple]:
    """(project and source, column, true, published) of what differs in order of columns, type or value.

    Empty if each expected row is there once, and nothing else. Numbers agree within 1e-9.
    """
    found = {(row["project_id"], row["event_source"]): row for row in rows}
    wrong = [] if len(found) == len(rows) else [("duplicates", len(rows), len(found))]
    for key in found.keys() | expected.keys():
        row, true = found.get(key, {}), expected.get(key, {})
        if list(row) != [*true, *BY_RUN]:
            wrong.append((key, "columns", list(true), list(row)))
        wrong += [(key, c, true[c], row[c]) for c in true if c in row and not _same(true[c], row[c])]
    return wrong


def _same(true, value) -> bool:
    return type(true) is type(value) and value == (
        pytest.approx(true, rel=1e-9, abs=1e-21) if isinstance(true, float) else true
    )
