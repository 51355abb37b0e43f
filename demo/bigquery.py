"""BigQuery's REST interface over public data sets of the made-up world: jobs, dry runs, result pages, and its refusals.

DuckDB runs the very SQL that it is sent. As the real one it refuses a table that must be filtered by its partition and
is not, a job above its maximum_bytes_billed, and a job id that it has seen.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from random import Random
from urllib.parse import parse_qs

import pyarrow as pa

from demo.archive import ARCHIVES, archive
from demo.world import CRATE, DEPLOYER, FIRST_DAY, LAST_DAY, ONCHAIN, PYPI, SEED, TOOLKIT

JOBS = re.compile(r"/bigquery/v2/projects/([^/]+)/jobs(?:/([^/]+))?")
RESULTS = re.compile(r"/bigquery/v2/projects/([^/]+)/queries/([^/]+)")
LEAST_BILLED = 10 << 20  # bytes of each table
KINDS = {"VARCHAR": "STRING", "BOOLEAN": "BOOLEAN", "DOUBLE": "FLOAT", "DATE": "DATE"}
PARTITIONS = {  # column by which a table must be filtered
    **{"blocks": "timestamp|dt", "transactions": "block_timestamp|dt", "Snapshots": "Time"},
    **{"Dependents": "SnapshotAt", "file_downloads": "timestamp"},
}
NO_DAY_TABLE = {date(2025, 6, 18), date(2025, 9, 11)}
YARDSTICKS = ("boto3", "packaging", "requests", "urllib3")
CHAIN_GAP = ("optimism", date(2025, 7, 20))  # a chain's day that lacks a block
SYSTEM = "0x" + "deaddead" * 4 + "dead0001"

Tables = Callable[[str], pa.Table | None]
TRANSACTION = pa.schema(
    [
        *(("hash", pa.string()), ("block_number", pa.int64()), ("block_hash", pa.string())),
        *(("block_timestamp", pa.timestamp("us", "UTC")), ("transaction_index", pa.int64())),
        *(("transaction_type", pa.int64()), ("from_address", pa.string()), ("to_address", pa.string())),
        *(("value", pa.decimal128(38, 0)), ("gas_price", pa.int64()), ("receipt_gas_used", pa.int64())),
        *(("receipt_effective_gas_price", pa.int64()), ("receipt_status", pa.int64())),
        *(("receipt_contract_address", pa.string()), ("receipt_blob_gas_used", pa.int64())),
        *(("receipt_blob_gas_price", pa.int64()), ("receipt_l1_fee", pa.int64()), ("input", pa.string())),
        *(("chain", pa.string()), ("network", pa.string()), ("dt", pa.date32()), ("value_lossless", pa.string())),
    ]
)
BLOCK = pa.schema(
    [
        *(("number", pa.int64()), ("hash", pa.string()), ("timestamp", pa.timestamp("us", "UTC"))),
        *(("transaction_count", pa.int64()), ("chain", pa.string()), ("network", pa.string()), ("dt", pa.date32())),
    ]
)
ACCOUNT = pa.struct([("id", pa.int64()), ("login", pa.string())])
GITHUB_EVENT = pa.schema(
    [
        *(("type", pa.string()), ("public", pa.bool_()), ("payload", pa.string())),
        ("repo", pa.struct([("id", pa.int64()), ("name", pa.string()), ("url", pa.string())])),
        *(("actor", ACCOUNT), ("org", ACCOUNT), ("created_at", pa.timestamp("us", "UTC")), ("id", pa.string())),
    ]
)
SNAPSHOT = pa.schema([("Time", pa.timestamp("us", "UTC"))])
DEPENDENT = pa.schema(
    [
        *(("SnapshotAt", pa.timestamp("us", "UTC")), ("System", pa.string()), ("Name", pa.string())),
        ("Version", pa.string()),
        ("Dependent", pa.struct([("System", pa.string()), ("Name", pa.string()), ("Version", pa.string())])),
        *(("MinimumDepth", pa.int64()), ("DependentIsHighestReleaseWithResolution", pa.bool_())),
    ]
)
DOWNLOAD = pa.schema(
    [
        *(("timestamp", pa.timestamp("us", "UTC")), ("project", pa.string())),
        ("details", pa.struct([("installer", pa.struct([("name", pa.string()), ("version", pa.string())]))])),
    ]
)


class Refusal(Exception):
    """An error answer: status, reason and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason

    def value(self) -> dict:
        """As the interface writes it."""
        one = {"reason": self.reason, "message": str(self), "domain": "global"}
        return {"error": {"code": self.status, "message": str(self), "errors": [one]}}


@dataclass
class Job:
    """What one job was asked and what it did."""

    query: str
    parameters: dict
    dry: bool
    size: int
    limit: int | None
    project: str
    labels: dict
    location: str
    fields: list[dict] = field(default_factory=list)
    rows: list[dict] = field(default_factory=list)
    error: Refusal | None = None
    polls: int = 0


class BigQuery:
    """Answers for `tables`, a function from a table's full name to its rows. Attributes are what tests change."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.jobs: dict[str, Job] = {}  # by id, in the order in which they came
        self.weight = 1  # a table's bytes are so many times what they are
        self.polls_before_done = 0
        self.expires_after: int | None = None  # pages; then the job is not found any more
        self.repeats_pages = False  # every page is the first one, with a token for more
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        """Status and JSON of one request."""
        try:
            with self._lock:
                value = self._route(method, path, parse_qs(query), body)
            return 200, json.dumps(value).encode()
        except Refusal as refusal:
            return refusal.status, json.dumps(refusal.value()).encode()

    def _route(self, method: str, path: str, query: dict, body: bytes) -> dict:
        if method == "POST" and (found := JOBS.fullmatch(path)):
            return self._insert(found[1], json.loads(body))
        if method == "GET" and (found := JOBS.fullmatch(path)) and found[2]:
            return self._job(found[2])
        if method == "GET" and (found := RESULTS.fullmatch(path)):
            return self._results(found[2], query)
        raise Refusal(404, "notFound", f"Not found: {method} {path}")

    def _insert(self, project: str, sent: dict) -> dict:
        given, reference = sent["configuration"], sent["jobReference"]
        if reference["jobId"] in self.jobs:
            raise Refusal(409, "duplicate", f"Already Exists: Job {project}:{reference['jobId']}")
        asked, limit = given["query"], given["query"].get("maximumBytesBilled")
        job = Job(
            query=asked["query"],
            parameters={p["name"]: _value(p) for p in asked.get("queryParameters", [])},
            dry=bool(given.get("dryRun")),
            size=self._size(asked["query"]),
            limit=int(limit) if limit else None,
            project=project,
            labels=given.get("labels", {}),
            location=reference.get("location", "US"),
        )
        billed = max(job.size, LEAST_BILLED)
        if job.limit is not None and billed > job.limit and not job.dry:
            message = f"Query exceeded limit for bytes billed: {job.limit}. {billed} or higher required."
            job.error = Refusal(400, "bytesBilledLimitExceeded", message)
        else:
            job.fields, job.rows = self._run(job)
        self.jobs[reference["jobId"]] = job
        return self._job(reference["jobId"])

    def _job(self, job_id: str) -> dict:
        job = self._known(job_id)
        done = job.dry or job.error or job.polls >= self.polls_before_done
        status: dict = {"state": "DONE" if done else "RUNNING"}
        if job.error:
            status |= {"errorResult": job.error.value()["error"]["errors"][0]}
        counted = {"totalBytesProcessed": str(job.size)}
        if job.dry:
            counted |= {"schema": {"fields": job.fields}}
        elif not job.error:
            counted |= {"totalBytesBilled": str(max(job.size, LEAST_BILLED)), "cacheHit": False}
        return {
            "kind": "bigquery#job",
            "jobReference": {"projectId": job.project, "jobId": job_id, "location": job.location},
            "configuration": {"jobType": "QUERY", "dryRun": job.dry, "query": {"query": job.query}},
            "status": status,
            "statistics": {"totalBytesProcessed": str(job.size), "query": counted},
        }

    def _known(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise Refusal(404, "notFound", f"Not found: Job {job_id}")
        return self.jobs[job_id]

    def _results(self, job_id: str, query: dict) -> dict:
        job = self._known(job_id)
        reference = {"projectId": job.project, "jobId": job_id, "location": job.location}
        if job.error:
            raise job.error
        if job.polls < self.polls_before_done:
            job.polls += 1
            return {"jobReference": reference, "jobComplete": False}
        start, most = int(query.get("pageToken", ["0"])[0]), int(query.get("maxResults", ["1000"])[0])
        if self.expires_after is not None and start >= self.expires_after * most:
            del self.jobs[job_id]
            raise Refusal(404, "notFound", f"Not found: Job {job.project}:{job.location}.{job_id}")
        shown = 0 if self.repeats_pages else start
        answer = {
            "kind": "bigquery#getQueryResultsResponse",
            "jobReference": reference,
            "jobComplete": True,
            "schema": {"fields": job.fields},
            "totalRows": str(len(job.rows)),
            "rows": job.rows[shown : shown + most],
        }
        if start + most < len(job.rows) or (self.repeats_pages and job.rows):
            answer["pageToken"] = str(start + most)
        return answer

    # -- the query itself

    def _named(self, sql: str) -> dict[str, tuple[pa.Table, str]]:
        """The tables that a query names, each with the SQL up to the next one."""
        parts = re.split(r"`([^`\s]+\.[^`\s]+)`", sql)
        found = {}
        for name, following in zip(parts[1::2], parts[2::2], strict=True):
            table = self.tables(name)
            if table is None:
                raise Refusal(404, "notFound", f"Not found: Table {name} was not found in location US")
            column = PARTITIONS.get(name.rpartition(".")[2])
            if column and not re.search(rf"\.({column})\s*(=|>=)", following):
                raise Refusal(
                    400,
                    "invalidQuery",
                    f"Cannot query over table '{name}' without a filter over column(s) '{column}' that can be used for "
                    "partition elimination",
                )
            found[name] = table, following
        return found

    def _size(self, sql: str) -> int:
        """Bytes of the columns that the query names."""
        return self.weight * sum(
            table[name].nbytes
            for table, _ in self._named(sql).values()
            for name in table.column_names
            if re.search(rf"\.`?{name}\b", sql)
        )

    def _run(self, job: Job) -> tuple[list[dict], list[dict]]:
        from duckdb import Error

        sql = re.sub(r"in unnest\(@(\w+)\)", r"in (select unnest(@\1))", job.query)
        sql = re.sub(r"@(\w+)", r"$\1", sql).replace("`", '"')
        sql = f"select * from ({sql}\n) limit 0" if job.dry else sql
        with _engine().cursor() as engine:
            engine.execute("set timezone = 'UTC'")
            for name, (table, _) in self._named(job.query).items():
                engine.register(name, table)
            try:
                answer = engine.execute(sql, job.parameters).to_arrow_table()
            except Error as error:
                raise Refusal(400, "invalidQuery", " ".join(str(error).split())[:300]) from None
        kinds = [_kind(f.type) for f in answer.schema]
        fields = [{"name": n, "type": k, "mode": "NULLABLE"} for n, k in zip(answer.column_names, kinds, strict=True)]
        columns = [_cells(column, kind) for column, kind in zip(answer.columns, kinds, strict=True)]
        return fields, [{"f": [{"v": cell} for cell in row]} for row in zip(*columns, strict=True)]


@cache
def _engine():
    """An empty database; a cursor of it is made in a twentieth of the time, and sees only its own tables."""
    import duckdb

    return duckdb.connect(config={"threads": 1})


def route(path: str) -> str:
    """The path under which faults are kept and requests counted: job ids are made anew each time."""
    return "/bigquery/results" if RESULTS.fullmatch(path) else "/bigquery/jobs" if JOBS.fullmatch(path) else path


def refusal(status: int, reason: str, message: str = "on purpose") -> bytes:
    """The body of an error answer, for a fault."""
    return json.dumps(Refusal(status, reason, message).value()).encode()


def _value(parameter: dict):
    kind, value = parameter["parameterType"], parameter["parameterValue"]
    if kind["type"] == "ARRAY":
        items = [item["value"] for item in value.get("arrayValues", [])]
        return [int(item) for item in items] if kind["arrayType"]["type"] == "INT64" else items
    return datetime.fromisoformat(value["value"]) if kind["type"] == "TIMESTAMP" else value["value"]


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return "INTEGER"  # DuckDB sums integers to decimals of no fraction
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP"
    return {pa.bool_(): "BOOLEAN", pa.float64(): "FLOAT", pa.date32(): "DATE"}.get(kind, "STRING")


def _cells(column: pa.ChunkedArray, kind: str) -> list[str | None]:
    if kind == "TIMESTAMP":
        column = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    values = column.to_pylist()
    return [None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values]


# -- what the public data sets hold of the world


def tables(seed: int = SEED) -> Tables:
    """The data sets of the world of that seed."""

    def find(name: str) -> pa.Table | None:
        if found := re.fullmatch(r"githubarchive\.day\.(\d{8})", name):
            return _github_day(seed, datetime.strptime(found[1], "%Y%m%d").date())
        makers = {
            "bigquery-public-data.crypto_ethereum.blocks": lambda: _chain(seed, "mainnet")[0],
            "bigquery-public-data.crypto_ethereum.transactions": lambda: _chain(seed, "mainnet")[1],
            "demo-project.optimism_superchain_raw_onchain_data.blocks": lambda: _superchain(seed)[0],
            "demo-project.optimism_superchain_raw_onchain_data.transactions": lambda: _superchain(seed)[1],
            "bigquery-public-data.deps_dev_v1.Snapshots": _snapshots,
            "bigquery-public-data.deps_dev_v1.Dependents": lambda: dependents(seed),
            "bigquery-public-data.pypi.file_downloads": lambda: _downloads(seed),
        }
        return makers[name]() if name in makers else None

    return find


def days() -> list[date]:
    """Every day of the world."""
    return [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]


def _at(day: date, seconds: int = 0) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)


@lru_cache(maxsize=4)
def _github_day(seed: int, day: date) -> pa.Table | None:
    """The day table: the first archive's lines by file hour, duplicates included, lines that are no JSON left out."""
    if day in NO_DAY_TABLE or not FIRST_DAY <= day <= LAST_DAY:
        return None
    rows = []
    for hour in range(24):
        for line in archive(seed).lines(ARCHIVES[0], day, hour) or []:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            rows.append(github_row(event))
    return pa.Table.from_pylist(rows, schema=GITHUB_EVENT)


def github_row(event: dict) -> dict:
    """One archive line as the day tables hold it."""
    return event | {
        "payload": json.dumps(event["payload"], ensure_ascii=False, separators=(",", ":")),
        "created_at": datetime.fromisoformat(event["created_at"].replace("Z", "+00:00")),
    }


@lru_cache(maxsize=4)
def _chain(seed: int, network: str) -> tuple[pa.Table, pa.Table]:
    """Blocks, one in ten minutes, and their transactions: calls, failures, creations, and what no user sent."""
    name = "op" if network == "optimism" else network
    r, number, blocks, sent = Random(f"{seed}/{network}"), 1000, [], []
    for day in days():
        for n in range(144):
            at, number = _at(day, 600 * n + 300), number + 1
            found = _block(r, network, number)
            lost = (network, day) == CHAIN_GAP and n == 70
            if not lost:
                blocks.append(
                    {"number": number, "hash": _hash(network, number), "timestamp": at, "transaction_count": len(found),
                     "chain": name, "network": "mainnet", "dt": day}
                )  # fmt: skip
                sent += [
                    one | {"block_number": number, "block_hash": _hash(network, number), "block_timestamp": at, "chain": name,
                           "network": "mainnet", "dt": day, "value_lossless": str(one["value"]), "input": "0x"}
                    for one in found
                ]  # fmt: skip
    return pa.Table.from_pylist(blocks, schema=BLOCK), pa.Table.from_pylist(sent, schema=TRANSACTION)


def _block(r: Random, network: str, number: int) -> list[dict]:
    found = []

    def send(kind: int = 2, to: str | None = TOOLKIT, status: int = 1, created: str | None = None, **more) -> None:
        index = len(found)
        price = 0 if kind == 126 else r.randint(1, 30) * 10**9
        one = {
            "hash": _hash(network, number, index), "transaction_index": index, "transaction_type": kind,
            "from_address": more.get("sender") or f"0x{r.randint(1, 40):040x}", "to_address": to,
            "value": r.choice([0, 0, 10**18]), "gas_price": price, "receipt_gas_used": r.randint(21_000, 200_000),
            "receipt_effective_gas_price": price, "receipt_status": status, "receipt_contract_address": created,
            "receipt_l1_fee": None if network == "mainnet" or kind == 126 else r.randint(10**10, 10**12),
        }  # fmt: skip
        found.append(one)

    if network != "mainnet":
        send(126, "0x4200000000000000000000000000000000000015", sender=SYSTEM)
    for _ in range(r.choice([0, 0, 1, 2])):
        dice = r.random()
        if dice < 0.55:
            send(to=r.choice([TOOLKIT, ONCHAIN]))
        elif dice < 0.7:
            send(to=r.choice([TOOLKIT, ONCHAIN]), status=0)
        elif dice < 0.75 and network != "mainnet":
            send(126)
        elif dice < 0.8:
            failed = r.random() < 0.3  # a failed creation names its contract all the same
            created = "0x" + _hash(network, number, len(found), "new")[2:42]
            send(to=None, status=0 if failed else 1, created=created, sender=DEPLOYER)
        else:
            send(to=f"0x{r.randint(500, 900):040x}")
    return found


def _hash(*parts) -> str:
    import hashlib

    return "0x" + hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


@lru_cache(maxsize=2)
def _superchain(seed: int) -> tuple[pa.Table, pa.Table]:
    """Two chains in one table; `block_timestamp` is seconds since 1970, as it was read by others."""
    both = [_chain(seed, "optimism"), _chain(seed, "base")]
    blocks, sent = (pa.concat_tables([one[n] for one in both]) for n in (0, 1))
    place = sent.schema.get_field_index("block_timestamp")
    seconds = pa.array([at.timestamp() for at in sent["block_timestamp"].to_pylist()]).cast(pa.int64())
    return blocks, sent.set_column(place, "block_timestamp", seconds)


def snapshot_days() -> list[date]:
    """The days on which deps.dev looks: Mondays."""
    return [day for day in days() if day.weekday() == 0]


@lru_cache(maxsize=1)
def _snapshots() -> pa.Table:
    return pa.Table.from_pylist([{"Time": _at(day, 7200)} for day in snapshot_days()], schema=SNAPSHOT)


@lru_cache(maxsize=2)
def dependents(seed: int) -> pa.Table:
    """deps.dev's table: more every week; also indirect ones, old versions, one that depends on two versions at once, and
    a package of the same project."""
    rows = []
    for week, day in enumerate(snapshot_days()):
        for system, name, most in (("PYPI", PYPI, 5 + week), ("NPM", "@Coral/net", 3), ("CARGO", CRATE.title(), 2)):
            for n in range(most):
                for version, depth, newest in (
                    ("1.0.0", 1, True),
                    ("1.1.0", 1, n == 0),
                    ("1.0.0", 2, True),
                    ("0.9.0", 1, False),
                ):
                    rows.append(
                        {"SnapshotAt": _at(day, 7200), "System": system, "Name": name, "Version": version,
                         "Dependent": {"System": system, "Name": f"{'far' if depth > 1 else 'near'}-{n}", "Version": f"2.{week}.0"},
                         "MinimumDepth": depth, "DependentIsHighestReleaseWithResolution": newest}
                    )  # fmt: skip
        for user in ("@brindle/shuttle", "near-0"):
            rows.append(
                {"SnapshotAt": _at(day, 7200), "System": "NPM", "Name": "loomkit", "Version": "2.0.0", "MinimumDepth": 1,
                 "Dependent": {"System": "NPM", "Name": user, "Version": "1.0.0"}, "DependentIsHighestReleaseWithResolution": True}
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DEPENDENT)


@lru_cache(maxsize=2)
def _downloads(seed: int) -> pa.Table:
    """Every yardstick once an hour; the listed project some times a day, by a mirror now and then, Sundays not at all."""
    r, rows = Random(seed + 9), []
    for day in days():
        for hour in range(24):
            rows += [_download(_at(day, hour * 3600 + 60), project, "pip") for project in YARDSTICKS]
        for _ in range(0 if day.weekday() == 6 else r.randint(1, 9)):
            rows.append(_download(_at(day, r.randrange(86_400)), PYPI, r.choice(["pip", "uv", "bandersnatch", None])))
        rows.append(_download(_at(day, 5), "somebody-elses", "pip"))
    return pa.Table.from_pylist(rows, schema=DOWNLOAD)


def _download(at: datetime, project: str, installer: str | None) -> dict:
    return {"timestamp": at, "project": project, "details": {"installer": {"name": installer, "version": "1"}}}
