"""One day of the public data sets, written by hand: acme's repository, contract, deployer and packages."""

from datetime import UTC, datetime
from functools import cache

import pyarrow as pa

from demo.bigquery import BLOCK, DEPENDENT, DOWNLOAD, GITHUB_EVENT, SNAPSHOT, TRANSACTION, BigQuery, github_row
from demo.server import DemoServer
from tests.sources.standins import DAY, event, other, push

CONTRACT, DEPLOYER, WALLET = "0x" + "c0" * 20, "0x" + "de" * 20, "0x" + "ee" * 20
USER, STRANGER, CREATED = "0x" + "11" * 20, "0x" + "99" * 20, "0x" + "cc" * 20
SYSTEM = "0x" + "deaddead" * 4 + "dead0001"
CRYPTO, OP_LABS = "bigquery-public-data.crypto_ethereum", "demo-project.optimism_superchain_raw_onchain_data"
DEPS, PYPI = "bigquery-public-data.deps_dev_v1", "bigquery-public-data.pypi.file_downloads"
GITHUB_DAY = f"githubarchive.day.{DAY:%Y%m%d}"
SNAPSHOT_AT = datetime(2025, 9, 1, 2, tzinfo=UTC)


def at(clock: str) -> datetime:
    """The moment of that day."""
    return datetime.fromisoformat(f"{DAY}T{clock}+00:00")


def sent(n: int, clock: str, to: str | None = CONTRACT, chain: str = "op", **more) -> dict:
    """One transaction; its hash is its number."""
    row = {
        **{"hash": f"0x{n:064X}", "block_number": n, "block_hash": f"0x{n:064x}", "block_timestamp": at(clock)},
        **{"transaction_index": 0, "transaction_type": 2, "from_address": USER, "to_address": to, "value": 5},
        **{"gas_price": 10, "receipt_gas_used": 50_000, "receipt_effective_gas_price": 10**6, "receipt_status": 1},
        **{"chain": chain, "network": "mainnet", "dt": DAY, "value_lossless": str(2**255), "receipt_l1_fee": 7},
    }
    return row | more


def block(n: int, clock: str, count: int, chain: str = "op") -> dict:
    """One block of so many transactions."""
    return {
        **{"number": n, "hash": f"0x{n:064x}", "timestamp": at(clock), "transaction_count": count},
        **{"chain": chain, "network": "mainnet", "dt": DAY},
    }


def depends(
    system: str, name: str, dependent: str, version: str = "1.0.0", depth: int = 1, newest: bool = True
) -> dict:
    """One row of deps.dev."""
    return {
        **{"SnapshotAt": SNAPSHOT_AT, "System": system, "Name": name, "Version": version, "MinimumDepth": depth},
        "Dependent": {"System": system, "Name": dependent, "Version": "3.0.0"},
        "DependentIsHighestReleaseWithResolution": newest,
    }


def download(clock: str, project: str, installer: str | None = "pip") -> dict:
    """One line of PyPI's log."""
    return {"timestamp": at(clock), "project": project, "details": {"installer": {"name": installer, "version": "1"}}}


def day_tables() -> dict[str, pa.Table]:
    """The tables by full name."""
    hours = [other(10_000 + hour) | {"created_at": f"{DAY}T{hour:02d}:30:00Z"} for hour in range(24)]
    hammer = {"id": 8, "name": "ToolSmith/hammer"}
    events = [push(1, commits=2), event(2), event(2), event(4, repo=hammer, at=f"{DAY}T23:59:59Z"), *hours]
    ethereum = [
        sent(1, "00:03:00", chain="mainnet"),
        sent(2, "12:00:00", WALLET, "mainnet"),
        sent(3, "23:58:00", None, "mainnet", from_address=DEPLOYER, receipt_contract_address=CREATED.upper()),
    ]
    optimism = [
        sent(11, "00:00:02", "0x42" + "0" * 38, transaction_type=126, from_address=SYSTEM, receipt_l1_fee=None),
        sent(12, "00:00:04", receipt_status=0),
        sent(13, "12:00:00", STRANGER),
        sent(14, "23:59:58", transaction_type=126, receipt_effective_gas_price=0, receipt_l1_fee=None),
    ]
    found = {
        GITHUB_DAY: ([github_row(e) for e in events], GITHUB_EVENT),
        f"{CRYPTO}.blocks": (
            [block(1, "00:03:00", 1), block(2, "12:00:00", 1), block(3, "23:58:00", 1)],
            BLOCK,
        ),
        f"{CRYPTO}.transactions": (ethereum, TRANSACTION),
        f"{OP_LABS}.blocks": ([block(11, "00:00:02", 2), block(12, "12:00:00", 1), block(13, "23:59:58", 1)], BLOCK),
        f"{OP_LABS}.transactions": (optimism, TRANSACTION),
        f"{DEPS}.Snapshots": ([{"Time": SNAPSHOT_AT}], SNAPSHOT),
        f"{DEPS}.Dependents": (
            [
                *(depends("NPM", "@Acme/sdk", "near"), depends("NPM", "@Acme/sdk", "near", version="2.0.0")),
                *(depends("NPM", "@Acme/sdk", "far", depth=2), depends("NPM", "@Acme/sdk", "old", newest=False)),
                *(depends("NPM", "@acme/SDK", "another"), depends("PYPI", "acme-kit", "user-of-acme")),
            ],
            DEPENDENT,
        ),
        PYPI: (
            [
                *(download(f"{hour:02d}:00:01", "boto3") for hour in range(24)),
                *(download("05:00:00", "acme-kit"), download("06:00:00", "acme-kit", "bandersnatch")),
                *(download("07:00:00", "acme-kit", None), download("08:00:00", "strangers-kit")),
            ],
            DOWNLOAD,
        ),
    }
    return {name: pa.Table.from_pylist(rows, schema=schema) for name, (rows, schema) in found.items()}


@cache
def shared_server() -> DemoServer:
    """One stand-in of that day for a whole test run."""
    server = DemoServer()
    server.bigquery = BigQuery(day_tables().get)
    return server.__enter__()
