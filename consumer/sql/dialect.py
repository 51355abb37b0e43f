"""Trino's SQL on DuckDB: which forms and functions are served, and what makes DuckDB answer them as Trino does.

FUNCTIONS has one call of each function that is served; the golden answer of each is in the tests. Where the engines
differ in meaning there is a macro or a rewrite below; where neither can help, the function is not in the list.
Known differences: x / 0 is null here and an error on Trino; decimals divide as doubles; || takes numbers; UTC alone.
"""

import contextlib
import re

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify_columns import qualify_columns
from sqlglot.schema import MappingSchema

from consumer.sql import QueryError

FORMS = (
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a WHERE x < 2), b AS (SELECT 2 AS x) "
    "SELECT DISTINCT a.x AS y, c.*, * FROM a LEFT OUTER JOIN b AS c(x) ON a.x = c.x AND NOT a.x <> 1 OR a.x IS NULL "
    "CROSS JOIN UNNEST(ARRAY[1]) WITH ORDINALITY AS u(e, o) CROSS JOIN LATERAL (SELECT 1) AS l(z) "
    "WHERE a.x IN (1, 2) AND a.x IN (SELECT 1) AND a.x BETWEEN 0 AND 2 AND EXISTS (SELECT 1) AND a.x >= 1 AND a.x <= 2 "
    "AND a.x > 0 AND 'a' LIKE 'a!_' ESCAPE '!' AND a.x IS DISTINCT FROM 3 AND a.x IS NOT DISTINCT FROM 1 AND ((TRUE)) "
    "AND a.x = ANY (SELECT 1) AND a.x >= ALL (SELECT 1) "
    "GROUP BY GROUPING SETS ((a.x), ()), ROLLUP (a.x), CUBE (a.x) HAVING count(*) > 0 "
    "ORDER BY 1 DESC NULLS LAST OFFSET 0 LIMIT 1",
    "SELECT 1 INTERSECT SELECT 2 EXCEPT SELECT 3 UNION SELECT ? UNION SELECT :a",
    "SELECT * FROM (VALUES (1, 'a')) AS t(x, y) JOIN t AS b USING (x), t NATURAL JOIN t FETCH FIRST 2 ROWS ONLY",
    "SELECT sum(x) FILTER (WHERE x > 1), sum(x) OVER w, sum(x) OVER (PARTITION BY x ORDER BY x "
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), lag(x) IGNORE NULLS OVER (ORDER BY x) "
    "FROM t WINDOW w AS (PARTITION BY x ORDER BY x RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND 1 FOLLOWING)",
    "SELECT CASE x WHEN 1 THEN 2 ELSE 3 END, CASE WHEN x THEN 1 END, -x, x + 1 - 2 * 3 / 4 % 5, 'a' || 'b', t.r.f, "
    "m['a'], ARRAY[1][1], (1, 2), ROW(1, 2), NULL, TRUE, 1.5, 1e0, X'AB', DATE '2026-01-01', DECIMAL '1.5', "
    "TIMESTAMP '2026-01-01 00:00:00 UTC' AT TIME ZONE 'UTC', TIME '10:00:00', INTERVAL '1' DAY, (SELECT 1) "
    "FROM (SELECT 1) AS t",
    "SELECT cast(x AS bigint), try_cast(x AS decimal(10, 2)), cast(x AS array(varchar)), cast(x AS row(a bigint)), "
    "cast(x AS map(varchar, bigint)), cast(x AS timestamp(6) with time zone), cast(x AS varchar(3))",
)

FUNCTIONS = """
abs(-1)
array_agg(x ORDER BY x)
array_agg(DISTINCT x)
array_distinct(ARRAY[2, 1, 2])
array_except(ARRAY[1, 2], ARRAY[2])
array_intersect(ARRAY[1, 2], ARRAY[2])
array_join(ARRAY['a', 'b'], ',')
array_join(ARRAY['a', NULL], ',', '?')
array_max(ARRAY[1, 2])
array_min(ARRAY[1, 2])
array_position(ARRAY[1], 2)
array_remove(ARRAY[1, 2], 1)
array_sort(ARRAY[2, NULL, 1])
array_union(ARRAY[2, 1], ARRAY[1, 3])
arrays_overlap(ARRAY[1], ARRAY[1, 2])
any_value(x)
approx_distinct(x)
approx_percentile(x, 0.5)
arbitrary(x)
avg(x)
bitwise_and(5, 3)
bitwise_or(5, 3)
bitwise_xor(5, 3)
bool_and(x > 0)
bool_or(x > 2)
cardinality(ARRAY[1, 2])
cbrt(8)
ceil(1.2)
ceiling(1.2)
chr(65)
coalesce(NULL, 1)
codepoint('A')
concat('a', 'b')
concat(ARRAY[1], ARRAY[2])
concat_ws(',', 'a', 'b')
contains(ARRAY[1, 2], 1)
corr(x, y)
count(*)
count(DISTINCT x)
count_if(x > 1)
covar_pop(x, y)
covar_samp(x, y)
cume_dist() OVER (ORDER BY x)
current_date
current_timestamp
date('2026-01-31')
date_add('month', 1, DATE '2026-01-31')
date_diff('hour', TIMESTAMP '2026-01-01 00:59:00', TIMESTAMP '2026-01-01 01:01:00')
date_format(TIMESTAMP '2026-01-31 10:00:05', '%Y-%m-%d %H:%i:%s')
date_parse('2026-01-31', '%Y-%m-%d')
date_trunc('month', DATE '2026-01-31')
date_trunc('hour', TIMESTAMP '2026-01-31 10:20:00')
day(DATE '2026-01-31')
day_of_month(DATE '2026-01-31')
day_of_week(DATE '2026-02-01')
day_of_year(DATE '2026-02-01')
degrees(pi())
dense_rank() OVER (ORDER BY x)
dow(DATE '2026-02-01')
doy(DATE '2026-02-01')
e()
element_at(ARRAY[1, 2], 5)
element_at(MAP(ARRAY['a'], ARRAY[1]), 'a')
every(x > 0)
exp(0)
extract(dow FROM DATE '2026-02-01')
filter(ARRAY[1, 2], v -> v > 1)
first_value(x) OVER (ORDER BY x)
flatten(ARRAY[ARRAY[1], ARRAY[2]])
floor(1.8)
from_base64('YQ==')
from_hex('61')
from_iso8601_date('2026-01-31')
from_iso8601_timestamp('2026-01-31T10:00:00Z')
from_unixtime(86400)
from_utf8(from_hex('61'))
geometric_mean(x)
greatest(1, 2)
histogram(x)
hour(TIMESTAMP '2026-01-31 10:20:30')
if(FALSE, 1, 2)
infinity()
is_finite(1e0)
is_infinite(infinity())
is_nan(nan())
json_array_length('[1, 2]')
json_extract('{"a": [1]}', '$.a')
json_extract_scalar('{"a": 1}', '$.a')
json_extract_scalar('{"a": [1]}', '$.a')
json_extract_scalar('{"a": [1]}', '$.a[0]')
json_format(json_parse('{"a":1}'))
lag(x) OVER (ORDER BY x)
last_day_of_month(DATE '2026-02-01')
last_value(x) OVER (ORDER BY x)
lead(x, 1, 0) OVER (ORDER BY x)
least(1, 2)
length('abc')
levenshtein_distance('abc', 'abd')
listagg(name, ',') WITHIN GROUP (ORDER BY name)
ln(1)
localtimestamp
log(2, 8)
log10(100)
log2(8)
lower('A')
lpad('a', 3, 'x')
ltrim(' a')
map(ARRAY['a'], ARRAY[1])
map_agg(name, x)
map_from_entries(ARRAY[ROW('a', 1)])
map_keys(MAP(ARRAY['a'], ARRAY[1]))
map_values(MAP(ARRAY['a'], ARRAY[1]))
max(x)
max_by(name, x)
md5(to_utf8('a'))
min(x)
min_by(name, x)
minute(TIMESTAMP '2026-01-31 10:20:30')
mod(5, 3)
month(DATE '2026-01-31')
nan()
now()
nth_value(x, 2) OVER (ORDER BY x)
ntile(2) OVER (ORDER BY x)
nullif(1, 1)
percent_rank() OVER (ORDER BY x)
pi()
pow(2, 3)
power(2, 3)
quarter(DATE '2026-01-31')
radians(180)
rand()
random()
rank() OVER (ORDER BY x)
regexp_count('a1b1', '[0-9]')
regexp_extract('abc1', '[0-9]')
regexp_extract('abc', '[0-9]')
regexp_extract('abc1', '([a-z]+)([0-9])', 2)
regexp_extract_all('a1b2', '[0-9]')
regexp_like('abc', 'b')
regexp_replace('a1a1', '1', '2')
regexp_replace('a1', '1')
regexp_split('a1b', '1')
regr_intercept(y, x)
regr_slope(y, x)
repeat('a', 2)
replace('abc', 'b', 'x')
reverse('abc')
reverse(ARRAY[1, 2])
round(1.256, 2)
row_number() OVER (ORDER BY x)
rpad('a', 3, 'x')
rtrim('a ')
second(TIMESTAMP '2026-01-31 10:20:30')
sequence(1, 3)
sequence(DATE '2026-01-01', DATE '2026-01-02', INTERVAL '1' DAY)
sha256(to_utf8('a'))
sign(-2)
sin(0)
cos(0)
tan(0)
slice(ARRAY[1, 2, 3], 2, 2)
split('a,b', ',')
split_part('a,b', ',', 2)
split_part('a,b', ',', 3)
sqrt(4)
starts_with('abc', 'a')
stddev(x)
stddev_pop(x)
stddev_samp(x)
strpos('abc', 'c')
position('c' IN 'abc')
substr('abc', 2)
substring('abc', 2, 1)
sum(x)
to_base64(to_utf8('a'))
to_hex(to_utf8('a'))
to_unixtime(TIMESTAMP '1970-01-02 00:00:00')
to_utf8('a')
transform(ARRAY[1, 2], v -> v + 1)
translate('abc', 'a', 'x')
trim(' a ')
trim(BOTH 'x' FROM 'xax')
truncate(1.7)
try(cast('x' AS bigint))
upper('a')
uuid()
var_pop(x)
var_samp(x)
variance(x)
version()
week(DATE '2026-01-31')
week_of_year(DATE '2026-01-31')
width_bucket(5.3, 0.2, 10.6, 5)
year(DATE '2026-01-31')
year_of_week(DATE '2026-01-01')
""".strip().splitlines()

# what DuckDB lacks, or means otherwise; made in every sandbox
MACROS = {
    "array_distinct_(a)": "list_filter(a, lambda v, i: list_position(a, v) = i)",
    "array_union(a, b)": "array_distinct_(a || b)",
    "array_position_(a, v)": "case when a is null or v is null then null else coalesce(list_position(a, v), 0) end",
    "arrays_overlap(a, b)": "list_has_any(a, b)",
    "codepoint(s)": "unicode(s)",
    "e()": "exp(1)",
    "every(v)": "bool_and(v)",
    "infinity()": "cast('infinity' as double)",
    "is_finite(v)": "isfinite(cast(v as double))",
    "is_infinite(v)": "isinf(cast(v as double))",
    "json_extract_scalar_(j, p)": "case when json_type(j, p) not in ('OBJECT', 'ARRAY') "
    "then json_extract_string(j, p) end",
    "map_agg(k, v)": "map(list(k), list(v))",
    "nan()": "cast('nan' as double)",
    "regexp_extract_(s, p, g)": "case when regexp_matches(s, p) then regexp_extract(s, p, g) end",
    "repeat_(v, n)": "list_transform(range(n), lambda i: v)",
    "slice_(a, s, n)": "list_slice(a, case when s < 0 then len(a) + s + 1 else s end, "
    "case when s < 0 then len(a) + s + 1 else s end + n - 1)",
    "split_part_(s, d, n)": "case when n <= len(string_split(s, d)) then split_part(s, d, n) end",
    "version_()": "'OpenImpact'",
    "width_bucket_(v, low, high, n)": "cast(case when v < low then 0 when v >= high then n + 1 "
    "else floor(n * (v - low) / (high - low)) + 1 end as bigint)",
}


def to_duckdb(tree: exp.Query, schema: MappingSchema) -> str:
    """The query of the gate as DuckDB's SQL, with the meaning that it has on Trino.

    `schema` has the columns of the tables: "oso" -> table -> column -> Trino's type.

    Raises:
        QueryError: something in it cannot be said on DuckDB.
    """
    _name_columns(tree)
    with contextlib.suppress(SqlglotError):  # what it cannot tell, or what is not there, DuckDB says
        tree = qualify_columns(tree.copy(), schema, expand_alias_refs=False, expand_stars=False)
    tree = annotate_types(tree, schema, dialect="trino", expression_metadata=_METADATA)
    for node in reversed(list(tree.walk(bfs=False))):  # the inner ones first, for the outer ones copy them
        rewrite = _REWRITES.get(type(node))
        new = rewrite(node) if rewrite else node
        if new is not node:
            node.replace(new)
    try:
        return tree.sql("duckdb", identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        text = str(error).splitlines()[0][:200].rstrip(".").replace("DuckDB", "this engine")
        raise QueryError(f"{text}. Write it another way, or ask the consumer's Trino.") from None


def to_trino(tree: exp.Query, release_id: str) -> str:
    """The SQL of a tree that passed the gate, over the tables of one release; "" where it asks for those of a catalog.

    Tables about tables are answered out of the release's dictionary, which is the same in each profile.
    """
    tables = [table for table in tree.find_all(exp.Table) if table.db]
    if any(table.db == "temp" for table in tables):
        return ""
    for table in tables:
        table.set("catalog", exp.to_identifier("consumer", quoted=True))
        table.set("db", exp.to_identifier(f"oso_{release_id.lower()}", quoted=True))
    for column in tree.find_all(exp.Column):  # by the table's name alone, for the schema is another now
        column.set("catalog", None)
        column.set("db", None)
    return tree.sql("trino", comments=False)


def trino_type(kind: str) -> str:
    """A type of the dictionary ("varchar array") as Trino writes it ("array(varchar)")."""
    return f"array({kind.removesuffix(' array')})" if kind.endswith(" array") else kind


def _name_columns(tree: exp.Query) -> None:
    """Gives result columns without a name the one that Trino gives them."""
    for select in tree.find_all(exp.Select):
        for place, column in enumerate(select.selects):
            if not isinstance(column, exp.Alias | exp.Column | exp.Star | exp.Dot):
                column.replace(exp.alias_(column.copy(), f"_col{place}", quoted=True))


_METADATA = Trino.EXPRESSION_METADATA | {
    exp.TimestampTrunc: {"annotator": lambda self, node: self._set_type(node, node.this.type)},
    exp.Reverse: {"annotator": lambda self, node: self._set_type(node, node.this.type)},
}


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _as_date(node: exp.Expr) -> exp.Expr:
    """DuckDB makes timestamps of dates that are moved or cut; on Trino they stay dates."""
    return exp.cast(node.copy(), "date") if node.is_type("date") else node


def _as_dates(node: exp.GenerateSeries) -> exp.Expr:
    return (
        exp.cast(node.copy(), exp.DataType.build("date[]", dialect="duckdb"))
        if node.args["start"].is_type("date")
        else node
    )


def _date_diff(node: exp.DateDiff) -> exp.Expr:
    """Trino counts whole units between, DuckDB's date_diff counts boundaries."""
    unit = exp.Literal.string((node.text("unit") or "day").lower())
    return _call("date_sub", unit, node.expression.copy(), node.this.copy())


def _extract(node: exp.Extract) -> exp.Expr:
    if node.name.upper() in ("DOW", "DAYOFWEEK", "DAY_OF_WEEK"):
        node.set("this", exp.var("ISODOW"))  # DuckDB's Sunday is 0, Trino's is 7
    return node


def _cast(node: exp.Cast) -> exp.Expr:
    if node.to.is_type("timestamptz") and isinstance(node.this, exp.Literal):
        node.this.set("this", re.sub(r" ([+-]\d\d:\d\d)$", r"\1", node.this.this))  # an offset has no space before it
    if node.to.is_type("decimal") and not node.to.expressions:
        if isinstance(node.this, exp.Literal) and node.this.is_string:
            return exp.Literal.number(node.this.this)
        node.set("to", exp.DataType.build("decimal(38, 0)"))
    return node


def _at_utc(node: exp.AtTimeZone) -> exp.Expr:
    """On DuckDB it takes the zone away; here all zones are UTC, the only one that the gate lets pass."""
    return exp.cast(node.this.copy(), "timestamptz")


def _macro(name: str, *keys: str):
    def rewrite(node: exp.Expr) -> exp.Expr:
        return _call(name, *(node.args[key].copy() for key in keys))

    return rewrite


def _reverse(node: exp.Reverse) -> exp.Expr:
    return _call("list_reverse", node.this.copy()) if node.this.is_type("array") else node


_REWRITES = {
    exp.Add: _as_date,
    exp.Sub: _as_date,
    exp.DateAdd: _as_date,
    exp.DateSub: _as_date,
    exp.TimestampTrunc: _as_date,
    exp.DateTrunc: _as_date,
    exp.GenerateSeries: _as_dates,
    exp.DateDiff: _date_diff,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_utc,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Reverse: _reverse,
    exp.RegexpExtract: _macro("regexp_extract_", "this", "expression", "group"),
    exp.ArrayDistinct: _macro("array_distinct_", "this"),
    exp.ArrayPosition: _macro("array_position_", "this", "expression"),
    exp.CurrentVersion: _macro("version_"),
    exp.JSONExtractScalar: _macro("json_extract_scalar_", "this", "expression"),
    exp.Repeat: _macro("repeat_", "this", "times"),
    exp.ArraySlice: _macro("slice_", "this", "start", "end"),
    exp.SplitPart: _macro("split_part_", "this", "delimiter", "part_index"),
    exp.WidthBucket: _macro("width_bucket_", "this", "min_value", "max_value", "num_buckets"),
}
