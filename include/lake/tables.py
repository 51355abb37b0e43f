"""Iceberg tables from Arrow schemas: created once, then only ever widened."""

from datetime import date

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform, Transform
from sqlalchemy.exc import IntegrityError

from include.errors import ContractBroken
from include.lake.catalog import retry

# short metadata whatever the number of commits: without them a commit slows tenfold over 240 appends
PROPERTIES = {
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest-merge.enabled": "true",
    "commit.retry.num-retries": "10",
    "write.parquet.compression-codec": "zstd",
}


def ensure_table(
    catalog: Catalog,
    name: str,
    schema: pa.Schema,
    partition_by: str | None = None,
    transform: Transform | None = None,
) -> Table:
    """The table `namespace.name`, created if absent, with columns of `schema` that it lacks added.

    `partition_by` names the column whose `transform` is the partition. Columns
    are never removed; one that `schema` lacks stays and becomes null.

    Raises:
        ContractBroken: a column exists with another type.
    """
    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        return _create(catalog, name, schema, partition_by, transform or IdentityTransform())
    known = {field.name: field.type for field in table.schema().as_arrow()}
    for field in schema:
        if field.name in known and not _same_type(known[field.name], field.type):
            raise ContractBroken(
                f"{name}.{field.name} is {known[field.name]} in the lake and {field.type} in the code. A raw schema "
                "may only grow: give the new type a new column name. Nothing was changed."
            )
    if missing := [field for field in schema if field.name not in known]:

        def widen() -> None:
            with catalog.load_table(name).update_schema() as update:
                update.union_by_name(pa.schema(missing))

        retry(widen, (CommitFailedException,))
        table = catalog.load_table(name)
    return table


def landed_table(catalog: Catalog, name: str) -> Table | None:
    """The table; None where nothing landed."""
    try:
        table = catalog.load_table(name)
    except NoSuchTableError:
        return None
    return table if table.current_snapshot() else None


def rows_by_day(table: Table | None) -> dict[date, int]:
    """Rows of a raw table by `_day`, from its metadata; {} of none."""
    if table is None:
        return {}
    partitions = table.inspect.partitions().select(["partition", "record_count"])
    return {row["partition"]["_day"]: row["record_count"] for row in partitions.to_pylist()}


def data_files(table: Table, snapshot_id: int | None = None) -> list[DataFile]:
    """The data files of one snapshot of the table, the current one by default.

    Raises:
        ContractBroken: the table has delete files, so that its data files alone are not the table.
    """
    files = []
    for task in table.scan(snapshot_id=snapshot_id).plan_files():
        if task.delete_files:
            raise ContractBroken(
                f"{'.'.join(table.name())} has delete files, written by another engine. Rewrite it once "
                "(ALTER TABLE … EXECUTE optimize in Trino), then build again."
            )
        files.append(task.file)
    return files


def _create(catalog: Catalog, name: str, schema: pa.Schema, partition_by: str | None, transform: Transform) -> Table:
    namespace = name.split(".")[0]
    # two processes may create it at the same moment: the second try finds it
    retry(lambda: catalog.create_namespace_if_not_exists(namespace), (IntegrityError,))
    try:
        with catalog.create_table_transaction(name, schema=schema, properties=PROPERTIES) as transaction:
            if partition_by:
                with transaction.update_spec() as spec:
                    suffix = "" if isinstance(transform, IdentityTransform) else f"_{transform}"
                    spec.add_field(partition_by, transform, partition_by + suffix)
    except (TableAlreadyExistsError, CommitFailedException):  # another process was first
        pass
    return catalog.load_table(name)


def _same_type(stored: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether two types hold the same values; engines name a list's items and choose offsets as they like."""
    if _is_list(stored) and _is_list(wanted):
        return _same_type(stored.value_type, wanted.value_type)
    if pa.types.is_struct(stored) and pa.types.is_struct(wanted):
        ours, theirs = list(stored), list(wanted)
        return [f.name for f in ours] == [f.name for f in theirs] and all(
            _same_type(a.type, b.type) for a, b in zip(ours, theirs, strict=True)
        )
    return str(stored).removeprefix("large_") == str(wanted).removeprefix("large_")


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)
