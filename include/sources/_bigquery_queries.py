"""Every query that the source `bigquery` may run: its tables with their partition filters, columns, price and limit.

A table is named only together with its partition filter, so that no query can read more than one day. What is listed
is sent as a parameter, never as SQL text. Prices are dry runs' upper bounds: of clustered tables (PyPI, deps.dev)
BigQuery bills what it reads, which is far less.

Schemas: igrigorik/gharchive.org bigquery/schema.js; blockchain-etl/ethereum-etl-airflow (crypto_ethereum);
ethereum-optimism/op-analytics (core dataset schemas); docs.deps.dev/bigquery; packaging.python.org (file_downloads).
"""

from dataclasses import dataclass
from datetime import date

GB = 10**9
USD_PER_TIB = 6.25  # on-demand price in the location US, 2026; the first TiB of a month is free

DAY = "t.{column} >= @start and t.{column} < @end"
TABLES = {  # table and the filter on its partition; a day table of GitHub Archive is one partition by itself
    "github_day": ("githubarchive.day.{suffix}", "true"),
    "ethereum_blocks": ("bigquery-public-data.crypto_ethereum.blocks", DAY.format(column="timestamp")),
    "ethereum_transactions": (
        "bigquery-public-data.crypto_ethereum.transactions",
        DAY.format(column="block_timestamp"),
    ),
    # a linked dataset of one's own project; `dt` is DATE or STRING, which a literal fits both ways
    "superchain_blocks": (
        "{project}.optimism_superchain_raw_onchain_data.blocks",
        "t.dt = '{day}' and t.network = 'mainnet'",
    ),
    "superchain_transactions": (
        "{project}.optimism_superchain_raw_onchain_data.transactions",
        "t.dt = '{day}' and t.network = 'mainnet'",
    ),
    "snapshots": ("bigquery-public-data.deps_dev_v1.Snapshots", DAY.format(column="Time")),
    "dependents": ("bigquery-public-data.deps_dev_v1.Dependents", "t.SnapshotAt = @snapshot_at"),
    "pypi_downloads": ("bigquery-public-data.pypi.file_downloads", DAY.format(column="timestamp")),
}

INTEGER, STRING, TIMESTAMP, BOOLEAN = ("INTEGER",), ("STRING",), ("TIMESTAMP",), ("BOOLEAN",)
MOMENT = ("TIMESTAMP", "INTEGER")  # OP Labs documents a timestamp, others read seconds since 1970 there


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of one day. `columns` are what it must answer with, by name and accepted types."""

    name: str
    sql: str
    columns: dict[str, tuple[str, ...]]
    price_gb: float  # what a dry run of one day says, about
    limit_gb: float  # a dry run above it refuses the query; BigQuery gets the same as maximum_bytes_billed

    @property
    def limit_bytes(self) -> int:
        """The most bytes that it may be billed."""
        return int(self.limit_gb * GB)

    def text(self, day: date, project: str) -> str:
        """The SQL of a day; `project` is the one that pays."""
        fills = {"suffix": f"{day:%Y%m%d}", "day": day.isoformat(), "project": project}
        tables = {
            key: f"`{table.format(**fills)}` as t where {partition.format(**fills)}"
            for key, (table, partition) in TABLES.items()
        }
        return self.sql.format(**tables)


def price_usd(size: int) -> float:
    """What reading so many bytes costs on demand."""
    return size / 2**40 * USD_PER_TIB


GITHUB_TYPE_COUNTS = Query(
    name="github_type_counts",
    sql="""
select
    extract(hour from t.created_at) as hour,
    t.type as type,
    count(distinct t.id) as event_count
from {github_day}
group by hour, type
""",
    columns={"hour": INTEGER, "type": STRING, "event_count": INTEGER},
    price_gb=0.2,
    limit_gb=2,
)
GITHUB_EVENTS = Query(
    name="github_events",
    sql="""
select
    t.id as id,
    t.type as type,
    t.actor.id as actor_id,
    t.actor.login as actor_login,
    t.repo.id as repo_id,
    t.repo.name as repo_name,
    t.org.id as org_id,
    t.org.login as org_login,
    t.created_at as created_at,
    t.public as public,
    t.payload as payload
from {github_day} and (
    t.repo.id in unnest(@repo_ids)
    or lower(t.repo.name) in unnest(@names)
    or regexp_extract(lower(t.repo.name), '^[^/]+') in unnest(@owners)
)
qualify row_number() over (partition by t.id order by t.created_at) = 1
""",
    columns={
        **{"id": STRING, "type": STRING, "actor_id": INTEGER, "actor_login": STRING, "repo_id": INTEGER},
        **{"repo_name": STRING, "org_id": INTEGER, "org_login": STRING, "created_at": TIMESTAMP},
        **{"public": BOOLEAN, "payload": STRING},
    },
    price_gb=4,
    limit_gb=20,
)

_BLOCK_COLUMNS = {
    **{"network": STRING, "block_count": INTEGER, "first_number": INTEGER, "last_number": INTEGER},
    **{"first_at": MOMENT, "last_at": MOMENT, "transaction_count": INTEGER, "landed_count": INTEGER},
}
_COUNT_BLOCKS = """
    count(*) as block_count,
        min(t.number) as first_number,
        max(t.number) as last_number,
        min(t.timestamp) as first_at,
        max(t.timestamp) as last_at,
        sum(t.transaction_count) as transaction_count"""
ETHEREUM_BLOCKS = Query(
    name="ethereum_blocks",
    sql=f"""
select
    'mainnet' as network,
    b.*,
    x.landed_count
from (
    select {_COUNT_BLOCKS}
    from {{ethereum_blocks}}
) as b
cross join (select count(*) as landed_count from {{ethereum_transactions}}) as x
""",
    columns=_BLOCK_COLUMNS,
    price_gb=0.02,
    limit_gb=1,
)
SUPERCHAIN_BLOCKS = Query(
    name="superchain_blocks",
    sql=f"""
select
    b.*,
    coalesce(x.landed_count, 0) as landed_count
from (
    select t.chain as network, {_COUNT_BLOCKS}
    from {{superchain_blocks}} and t.chain in unnest(@chains)
    group by t.chain
) as b
left join (
    select t.chain as network, count(*) as landed_count
    from {{superchain_transactions}} and t.chain in unnest(@chains)
    group by t.chain
) as x
    on b.network = x.network
""",
    columns=_BLOCK_COLUMNS,
    price_gb=0.3,
    limit_gb=5,
)

_TRANSACTION_COLUMNS = {
    **{"network": STRING, "transaction_hash": STRING, "block_number": INTEGER, "block_hash": STRING},
    **{"block_timestamp": MOMENT, "transaction_index": INTEGER, "transaction_type": INTEGER, "from_address": STRING},
    **{"to_address": STRING, "value": STRING, "gas_price": INTEGER, "receipt_gas_used": INTEGER},
    **{"receipt_effective_gas_price": INTEGER, "receipt_status": INTEGER, "receipt_contract_address": STRING},
    **{"receipt_blob_gas_used": INTEGER, "receipt_blob_gas_price": INTEGER, "receipt_l1_fee": INTEGER},
}
_TRANSACTION = """
    t.`hash` as transaction_hash,
    t.block_number as block_number,
    t.block_hash as block_hash,
    t.block_timestamp as block_timestamp,
    t.transaction_index as transaction_index,
    t.transaction_type as transaction_type,
    t.from_address as from_address,
    t.to_address as to_address,
    t.gas_price as gas_price,
    t.receipt_gas_used as receipt_gas_used,
    t.receipt_effective_gas_price as receipt_effective_gas_price,
    t.receipt_status as receipt_status,
    cast(t.receipt_contract_address as string) as receipt_contract_address"""
ETHEREUM_TRANSACTIONS = Query(
    name="ethereum_transactions",
    sql=f"""
select
    'mainnet' as network,{_TRANSACTION},
    cast(t.value as string) as value,
    t.receipt_blob_gas_used as receipt_blob_gas_used,
    t.receipt_blob_gas_price as receipt_blob_gas_price,
    cast(null as int64) as receipt_l1_fee
from {{ethereum_transactions}} and (
    t.to_address in unnest(@targets)
    or (t.to_address is null and t.from_address in unnest(@creators))
)
""",
    columns=_TRANSACTION_COLUMNS,
    price_gb=0.7,
    limit_gb=10,
)
SUPERCHAIN_TRANSACTIONS = Query(
    name="superchain_transactions",
    sql=f"""
select
    t.chain as network,{_TRANSACTION},
    t.value_lossless as value,
    cast(null as int64) as receipt_blob_gas_used,
    cast(null as int64) as receipt_blob_gas_price,
    t.receipt_l1_fee as receipt_l1_fee
from {{superchain_transactions}} and t.chain in unnest(@chains) and (
    concat(t.chain, ':', t.to_address) in unnest(@targets)
    or (t.to_address is null and concat(t.chain, ':', t.from_address) in unnest(@creators))
)
""",
    columns=_TRANSACTION_COLUMNS,
    price_gb=12,
    limit_gb=60,
)

SNAPSHOTS = Query(
    name="snapshots",
    sql="select max(t.Time) as snapshot_at from {snapshots}",
    columns={"snapshot_at": TIMESTAMP},
    price_gb=0.00001,
    limit_gb=0.1,
)


def _dependents(system: str, name: str) -> Query:
    """Direct dependents of packages in a system; `name` is the SQL by which a package is looked for."""
    return Query(
        name=f"dependents_{system.lower()}",
        sql=f"""
select
    t.System as system,
    {name} as name,
    t.Dependent.Name as dependent_name,
    max(t.Dependent.Version) as dependent_version
from {{dependents}}
    and t.System = '{system}'
    and {name} in unnest(@names)
    and t.MinimumDepth = 1
    and t.DependentIsHighestReleaseWithResolution
group by t.System, {name}, t.Dependent.Name
""",
        columns={"system": STRING, "name": STRING, "dependent_name": STRING, "dependent_version": STRING},
        price_gb=420,
        limit_gb=1000,
    )


# the directory writes crates and Go modules in lower case; deps.dev keeps the authors' spelling
DEPENDENTS = {
    "npm": _dependents("NPM", "t.Name"),
    "pypi": _dependents("PYPI", "t.Name"),
    "crates": _dependents("CARGO", "lower(t.Name)"),
    "go": _dependents("GO", "lower(t.Name)"),
}

PYPI_DOWNLOADS = Query(
    name="pypi_downloads",
    sql="""
select
    t.project as project,
    count(*) as download_count,
    countif(coalesce(t.details.installer.name, '') = 'bandersnatch') as mirror_count,
    count(distinct extract(hour from t.timestamp)) as hour_count
from {pypi_downloads} and t.project in unnest(@projects)
group by t.project
""",
    columns={"project": STRING, "download_count": INTEGER, "mirror_count": INTEGER, "hour_count": INTEGER},
    price_gb=75,
    limit_gb=200,
)

QUERIES = (
    *(GITHUB_TYPE_COUNTS, GITHUB_EVENTS, ETHEREUM_BLOCKS, ETHEREUM_TRANSACTIONS, SUPERCHAIN_BLOCKS),
    *(SUPERCHAIN_TRANSACTIONS, SNAPSHOTS, *DEPENDENTS.values(), PYPI_DOWNLOADS),
)
