"""Cards: one JSON document per project and collection, written once a bundle, so that a page costs a look-up.

The file `cards` has one card a line: what REST answers of the entity.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import orjson

KINDS = ("project", "collection")
KEY_METRIC = """
    metric_id, metric, metric_source, "window", concat_ws('_', metric_source, metric, "window") as metric_name,
    amount, previous_amount, unit, sample_date, quality, coverage"""
AT_ONCE = 200  # entities, so that memory is bound; the tables are sorted by entity
_ABOUT = {
    "project": {
        "collections": """
            select project_id as id, to_json(list(collection_name order by collection_name)) as part
            from oso.projects_by_collection_v1
            where project_id between $first and $last
            group by project_id""",
        "artifact_counts": """
            select id, to_json(map_from_entries(list((artifact_source, counted) order by artifact_source))) as part
            from (
                select project_id as id, artifact_source, count(*) as counted
                from oso.artifacts_by_project_v1
                where project_id between $first and $last
                group by all
            ) as artifacts
            group by id""",
    },
    "collection": {
        "project_count": """
            select collection_id as id, count(*)::varchar as part
            from oso.projects_by_collection_v1
            where collection_id between $first and $last
            group by collection_id""",
    },
}
_EMPTY = {"collections": "[]", "artifact_counts": "{}", "project_count": "0", "data": "[]"}


def write_cards(db, file: Path) -> dict[str, dict[str, list[int]]]:
    """Writes the cards of the tables in schema `oso` of `db` to `file`; returns their index, as `Cards` takes it."""
    index: dict[str, dict[str, list[int]]] = {kind: {} for kind in KINDS}
    with file.open("wb") as cards:
        for kind in KINDS:
            for identity, rows, card in _shaped(db, kind):
                index[kind][identity] = [cards.tell(), len(card), rows]
                cards.write(card + b"\n")
    return index


class Cards:
    """The cards of a bundle by kind and id, read in place; safe in any thread."""

    def __init__(self, file: Path, index: dict[str, dict[str, list[int]]]) -> None:
        self._index = index
        with file.open("rb") as cards:
            self._bytes = mmap.mmap(cards.fileno(), 0, access=mmap.ACCESS_READ) if file.stat().st_size else b""

    def card(self, kind: str, identity: str) -> dict:
        """The members of REST's answer of the entity.

        Raises:
            KeyError: there is no such entity.
        """
        start, length, _ = self._index[kind][identity]
        return orjson.loads(self._bytes[start : start + length])

    def told(self, kind: str, identity: str) -> tuple[bytes, int]:
        """What REST tells of the entity beside the release, members of a JSON object without braces; rows in it.

        Raises:
            KeyError: there is no such entity.
        """
        start, length, rows = self._index[kind][identity]
        return self._bytes[start + 1 : start + length - 1], rows


def _shaped(db, kind: str) -> Iterator[tuple[str, int, bytes]]:
    about = "".join(f", coalesce({name}.part, '{_EMPTY[name]}') as {name}" for name in _ABOUT[kind])
    joins = "".join(f" left join ({sql}) as {name} using (id)" for name, sql in _ABOUT[kind].items())
    sql = f"""
        with numbers as (
            select {kind}_id as id, {KEY_METRIC}
            from oso.key_metrics_by_{kind}_v1
            where {kind}_id between $first and $last
        ),
        data as (
            select
                id, count(*) as rows,
                to_json(list({{
                    metric_id: metric_id, metric: metric, metric_source: metric_source, 'window': "window",
                    metric_name: metric_name, amount: {_finite("amount")},
                    previous_amount: {_finite("previous_amount")}, unit: unit, sample_date: sample_date,
                    quality: quality, coverage: {_finite("coverage")}
                }} order by metric_name)) as part
            from numbers
            group by id
        ),
        entities as (
            select {kind}_id as id, to_json(entities) as part
            from oso.{kind}s_v1 as entities
            where {kind}_id between $first and $last
        )
        select
            id, entities.part as entity {about}, coalesce(data.rows, 0) as rows,
            coalesce(data.part, '{_EMPTY["data"]}') as data
        from entities {joins}
        left join data using (id)
        order by id"""
    ids = [row[0] for row in db.execute(f"select {kind}_id from oso.{kind}s_v1 order by 1").fetchall()]
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        for identity, entity, *parts, rows, data in db.execute(sql, {"first": some[0], "last": some[-1]}).fetchall():
            members = zip((kind, *_ABOUT[kind], "data"), (entity, *parts, data), strict=True)
            yield identity, rows, ("{" + ",".join(f'"{name}":{part}' for name, part in members) + "}").encode()


def _finite(number: str) -> str:
    return f"case when isfinite({number}) then {number} end"
