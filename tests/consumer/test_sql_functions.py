"""Every function that is served answers on DuckDB what Trino's documentation says."""

import hashlib
import io
import json
import math
import shutil
from base64 import b64encode

import pytest

from consumer.bundle import build_bundle
from consumer.sql import QueryError
from consumer.sql.dialect import FORMS, FUNCTIONS
from consumer.sql.formats import WRITERS, columns_of
from consumer.sql.gate import gate
from consumer.sql.sandbox import Engine

SOME = object()  # any value but null
ROWS = "FROM (VALUES (1, 2e0, 'a'), (2, 4e0, 'b'), (3, 7e0, 'c')) AS v(x, y, name)"

# worked out by hand: x = 1, 2, 3 and y = 2, 4, 7, so that the sums of squares about the means are 2 and 38/3 and that
# of products is 5; 2026-01-01 is a Thursday
GOLDEN = {
    "abs(-1)": 1,
    "array_agg(x ORDER BY x)": [1, 2, 3],
    "array_agg(DISTINCT x)": SOME,
    "array_distinct(ARRAY[2, 1, 2])": [2, 1],
    "array_except(ARRAY[1, 2], ARRAY[2])": [1],
    "array_intersect(ARRAY[1, 2], ARRAY[2])": [2],
    "array_join(ARRAY['a', 'b'], ',')": "a,b",
    "array_join(ARRAY['a', NULL], ',', '?')": "a,?",
    "array_max(ARRAY[1, 2])": 2,
    "array_min(ARRAY[1, 2])": 1,
    "array_position(ARRAY[1], 2)": 0,
    "array_remove(ARRAY[1, 2], 1)": [2],
    "array_sort(ARRAY[2, NULL, 1])": [1, 2, None],
    "array_union(ARRAY[2, 1], ARRAY[1, 3])": [2, 1, 3],
    "arrays_overlap(ARRAY[1], ARRAY[1, 2])": True,
    "any_value(x)": SOME,
    "approx_distinct(x)": 3,
    "approx_percentile(x, 0.5)": 2,
    "arbitrary(x)": SOME,
    "avg(x)": 2.0,
    "bitwise_and(5, 3)": 1,
    "bitwise_or(5, 3)": 7,
    "bitwise_xor(5, 3)": 6,
    "bool_and(x > 0)": True,
    "bool_or(x > 2)": True,
    "cardinality(ARRAY[1, 2])": 2,
    "cbrt(8)": 2.0,
    "ceil(1.2)": "2",
    "ceiling(1.2)": "2",
    "chr(65)": "A",
    "coalesce(NULL, 1)": 1,
    "codepoint('A')": 65,
    "concat('a', 'b')": "ab",
    "concat(ARRAY[1], ARRAY[2])": [1, 2],
    "concat_ws(',', 'a', 'b')": "a,b",
    "contains(ARRAY[1, 2], 1)": True,
    "corr(x, y)": 5 / math.sqrt(2 * 38 / 3),
    "count(*)": 3,
    "count(DISTINCT x)": 3,
    "count_if(x > 1)": 2,
    "covar_pop(x, y)": 5 / 3,
    "covar_samp(x, y)": 2.5,
    "cume_dist() OVER (ORDER BY x)": [1 / 3, 2 / 3, 1.0],
    "current_date": SOME,
    "current_timestamp": SOME,
    "date('2026-01-31')": "2026-01-31",
    "date_add('month', 1, DATE '2026-01-31')": "2026-02-28",
    "date_diff('hour', TIMESTAMP '2026-01-01 00:59:00', TIMESTAMP '2026-01-01 01:01:00')": 0,
    "date_format(TIMESTAMP '2026-01-31 10:00:05', '%Y-%m-%d %H:%i:%s')": "2026-01-31 10:00:05",
    "date_parse('2026-01-31', '%Y-%m-%d')": "2026-01-31 00:00:00.000000",
    "date_trunc('month', DATE '2026-01-31')": "2026-01-01",
    "date_trunc('hour', TIMESTAMP '2026-01-31 10:20:00')": "2026-01-31 10:00:00.000000",
    "day(DATE '2026-01-31')": 31,
    "day_of_month(DATE '2026-01-31')": 31,
    "day_of_week(DATE '2026-02-01')": 7,
    "day_of_year(DATE '2026-02-01')": 32,
    "degrees(pi())": 180.0,
    "dense_rank() OVER (ORDER BY x)": [1, 2, 3],
    "dow(DATE '2026-02-01')": 7,
    "doy(DATE '2026-02-01')": 32,
    "e()": math.e,
    "element_at(ARRAY[1, 2], 5)": None,
    "element_at(MAP(ARRAY['a'], ARRAY[1]), 'a')": 1,
    "every(x > 0)": True,
    "exp(0)": 1.0,
    "extract(dow FROM DATE '2026-02-01')": 7,
    "filter(ARRAY[1, 2], v -> v > 1)": [2],
    "first_value(x) OVER (ORDER BY x)": [1, 1, 1],
    "flatten(ARRAY[ARRAY[1], ARRAY[2]])": [1, 2],
    "floor(1.8)": "1",
    "from_base64('YQ==')": "YQ==",
    "from_hex('61')": "YQ==",
    "from_iso8601_date('2026-01-31')": "2026-01-31",
    "from_iso8601_timestamp('2026-01-31T10:00:00Z')": "2026-01-31 10:00:00.000000 UTC",
    "from_unixtime(86400)": "1970-01-02 00:00:00.000000 UTC",
    "from_utf8(from_hex('61'))": "a",
    "geometric_mean(x)": 6 ** (1 / 3),
    "greatest(1, 2)": 2,
    "histogram(x)": {"1": 1, "2": 1, "3": 1},
    "hour(TIMESTAMP '2026-01-31 10:20:30')": 10,
    "if(FALSE, 1, 2)": 2,
    "infinity()": "Infinity",
    "is_finite(1e0)": True,
    "is_infinite(infinity())": True,
    "is_nan(nan())": True,
    "json_array_length('[1, 2]')": 2,
    "json_extract('{\"a\": [1]}', '$.a')": "[1]",
    "json_extract_scalar('{\"a\": 1}', '$.a')": "1",
    "json_extract_scalar('{\"a\": [1]}', '$.a')": None,
    "json_extract_scalar('{\"a\": [1]}', '$.a[0]')": "1",
    "json_format(json_parse('{\"a\":1}'))": '{"a":1}',
    "lag(x) OVER (ORDER BY x)": [None, 1, 2],
    "last_day_of_month(DATE '2026-02-01')": "2026-02-28",
    "last_value(x) OVER (ORDER BY x)": [1, 2, 3],
    "lead(x, 1, 0) OVER (ORDER BY x)": [2, 3, 0],
    "least(1, 2)": 1,
    "length('abc')": 3,
    "levenshtein_distance('abc', 'abd')": 1,
    "listagg(name, ',') WITHIN GROUP (ORDER BY name)": "a,b,c",
    "ln(1)": 0.0,
    "localtimestamp": SOME,
    "log(2, 8)": 3.0,
    "log10(100)": 2.0,
    "log2(8)": 3.0,
    "lower('A')": "a",
    "lpad('a', 3, 'x')": "xxa",
    "ltrim(' a')": "a",
    "map(ARRAY['a'], ARRAY[1])": {"a": 1},
    "map_agg(name, x)": {"a": 1, "b": 2, "c": 3},
    "map_from_entries(ARRAY[ROW('a', 1)])": {"a": 1},
    "map_keys(MAP(ARRAY['a'], ARRAY[1]))": ["a"],
    "map_values(MAP(ARRAY['a'], ARRAY[1]))": [1],
    "max(x)": 3,
    "max_by(name, x)": "c",
    "md5(to_utf8('a'))": b64encode(hashlib.md5(b"a").digest()).decode(),
    "min(x)": 1,
    "min_by(name, x)": "a",
    "minute(TIMESTAMP '2026-01-31 10:20:30')": 20,
    "mod(5, 3)": 2,
    "month(DATE '2026-01-31')": 1,
    "nan()": "NaN",
    "now()": SOME,
    "nth_value(x, 2) OVER (ORDER BY x)": [None, 2, 2],
    "ntile(2) OVER (ORDER BY x)": [1, 1, 2],
    "nullif(1, 1)": None,
    "percent_rank() OVER (ORDER BY x)": [0.0, 0.5, 1.0],
    "pi()": math.pi,
    "pow(2, 3)": 8.0,
    "power(2, 3)": 8.0,
    "quarter(DATE '2026-01-31')": 1,
    "radians(180)": math.pi,
    "rand()": SOME,
    "random()": SOME,
    "rank() OVER (ORDER BY x)": [1, 2, 3],
    "regexp_count('a1b1', '[0-9]')": 2,
    "regexp_extract('abc1', '[0-9]')": "1",
    "regexp_extract('abc', '[0-9]')": None,
    "regexp_extract('abc1', '([a-z]+)([0-9])', 2)": "1",
    "regexp_extract_all('a1b2', '[0-9]')": ["1", "2"],
    "regexp_like('abc', 'b')": True,
    "regexp_replace('a1a1', '1', '2')": "a2a2",
    "regexp_replace('a1', '1')": "a",
    "regexp_split('a1b', '1')": ["a", "b"],
    "regr_intercept(y, x)": 13 / 3 - 5,
    "regr_slope(y, x)": 2.5,
    "repeat('a', 2)": ["a", "a"],
    "replace('abc', 'b', 'x')": "axc",
    "reverse('abc')": "cba",
    "reverse(ARRAY[1, 2])": [2, 1],
    "round(1.256, 2)": "1.26",
    "row_number() OVER (ORDER BY x)": [1, 2, 3],
    "rpad('a', 3, 'x')": "axx",
    "rtrim('a ')": "a",
    "second(TIMESTAMP '2026-01-31 10:20:30')": 30,
    "sequence(1, 3)": [1, 2, 3],
    "sequence(DATE '2026-01-01', DATE '2026-01-02', INTERVAL '1' DAY)": ["2026-01-01", "2026-01-02"],
    "sha256(to_utf8('a'))": b64encode(hashlib.sha256(b"a").digest()).decode(),
    "sign(-2)": -1,
    "sin(0)": 0.0,
    "cos(0)": 1.0,
    "tan(0)": 0.0,
    "slice(ARRAY[1, 2, 3], 2, 2)": [2, 3],
    "split('a,b', ',')": ["a", "b"],
    "split_part('a,b', ',', 2)": "b",
    "split_part('a,b', ',', 3)": None,
    "sqrt(4)": 2.0,
    "starts_with('abc', 'a')": True,
    "stddev(x)": 1.0,
    "stddev_pop(x)": math.sqrt(2 / 3),
    "stddev_samp(x)": 1.0,
    "strpos('abc', 'c')": 3,
    "position('c' IN 'abc')": 3,
    "substr('abc', 2)": "bc",
    "substring('abc', 2, 1)": "b",
    "sum(x)": 6,
    "to_base64(to_utf8('a'))": "YQ==",
    "to_hex(to_utf8('a'))": "61",
    "to_unixtime(TIMESTAMP '1970-01-02 00:00:00')": 86400.0,
    "to_utf8('a')": "YQ==",
    "transform(ARRAY[1, 2], v -> v + 1)": [2, 3],
    "translate('abc', 'a', 'x')": "xbc",
    "trim(' a ')": "a",
    "trim(BOTH 'x' FROM 'xax')": "a",
    "truncate(1.7)": "1",
    "try(cast('x' AS bigint))": None,
    "upper('a')": "A",
    "uuid()": SOME,
    "var_pop(x)": 2 / 3,
    "var_samp(x)": 1.0,
    "variance(x)": 1.0,
    "version()": "OpenImpact",
    "week(DATE '2026-01-31')": 5,
    "week_of_year(DATE '2026-01-31')": 5,
    "width_bucket(5.3, 0.2, 10.6, 5)": 3,
    "year(DATE '2026-01-31')": 2026,
    "year_of_week(DATE '2026-01-01')": 2026,
}


@pytest.fixture(scope="module")
def engine(sql_release, tmp_path_factory):
    # DuckDB opens a file once in a process, and a server of the tests may have opened the original with other settings
    copy = shutil.copytree(build_bundle(sql_release[0]), tmp_path_factory.mktemp("engine") / "bundle")
    return Engine(str(copy / "consumer.duckdb"))


def rows(engine, sql):
    found = engine.run(sql)
    reader = found.to_arrow_reader(1000)
    out = io.BytesIO()
    with WRITERS["trino"](out, columns_of(found, reader.schema)) as writer:
        for batch in reader:
            writer.write(batch)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def close(value):
    return pytest.approx(value) if isinstance(value, float) else value


def statement_of(call):
    """The statement that has one value, the call's; one over a window has more."""
    aggregate = any(f"{name}{end}" in call for name in ("x", "name", "(y") for end in (")", ",", " >", " OR"))
    return f"SELECT {call} {ROWS if aggregate or call == 'count(*)' else ''}"


def test_every_function_served_has_a_golden_answer():
    assert set(FUNCTIONS) == set(GOLDEN)


@pytest.mark.parametrize("call", FUNCTIONS)
def test_a_function_means_what_it_means_on_trino(engine, call):
    golden = GOLDEN[call]
    if "OVER" in call:
        assert [row[0] for row in rows(engine, f"SELECT {call} {ROWS} ORDER BY x")] == [close(one) for one in golden]
        return
    ((value,),) = rows(engine, statement_of(call))
    assert value is not None if golden is SOME else value == close(golden)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_passes_the_gate(engine, form):
    named = form.count(":a")
    tables = {"t", "projects_v1"}
    assert gate(form.replace("?", "9") if named else form, tables, "r", {"a": 1} if named else None).sql("duckdb")


@pytest.mark.parametrize(
    ("sql", "golden"),
    [
        ("SELECT 7 / 2, -7 / 2, 7 % 2, 7e0 / 2", [[3, -3, 1, 3.5]]),
        ("SELECT sum(x) / count(*) FROM (VALUES 1, 2, 4) AS v(x)", [[2]]),
        ("SELECT cast(9007199254740993 AS bigint)", [[9007199254740993]]),
        ("SELECT d FROM UNNEST(sequence(DATE '2026-01-01', DATE '2026-01-03', INTERVAL '1' DAY)) AS t(d) WHERE d > "
         "DATE '2026-01-01' ORDER BY d DESC", [["2026-01-03"], ["2026-01-02"]]),
        ("SELECT e, o FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t(e, o) ORDER BY 2 DESC", [["b", 2], ["a", 1]]),
        ("WITH w AS (SELECT date_trunc('week', DATE '2026-01-31') AS monday) SELECT date_add('week', 1, monday), "
         "monday + INTERVAL '1' DAY FROM w", [["2026-02-02", "2026-01-27"]]),
        ("SELECT x FROM (VALUES 2, NULL, 1) AS v(x) ORDER BY x", [[1], [2], [None]]),
        ("SELECT x FROM (VALUES 2, NULL, 1) AS v(x) ORDER BY x DESC", [[2], [1], [None]]),
        ("SELECT project_id, amount, quality FROM key_metrics_by_project_v1 WHERE project_id < 'c' ORDER BY 1",
         [["a", 7.0, "ok"], ["b", None, "unknown"]]),
        ("SELECT a.project_id FROM OSO.Projects_V1 a JOIN consumer.oso.\"key_metrics_by_project_v1\" b "
         "ON a.project_id = b.project_id WHERE b.Amount = 7", [["a"]]),
        ("SELECT oso.projects_v1.project_id FROM oso.projects_v1 LIMIT 1", [["a"]]),
        ("VALUES (1, 'a'), (2, 'b')", [[1, "a"], [2, "b"]]),
        ("TABLE projects_v1", SOME),
        ("WITH a AS (SELECT * FROM projects_v1), b AS (SELECT * FROM a WHERE project_id < 'c') SELECT (SELECT count(*) "
         "FROM b WHERE project_name = 'able') + count(*) FROM a", [[4]]),
        ("SELECT t AT TIME ZONE 'UTC', cast(t AT TIME ZONE 'UTC' AS date) FROM (VALUES TIMESTAMP '2026-01-31 23:30:00 "
         "-01:00') AS v(t)", [["2026-02-01 00:30:00.000000 UTC", "2026-02-01"]]),
        ("SELECT DECIMAL '1.50', X'61', TIME '10:00:00'", [["1.50", "YQ==", "10:00:00"]]),
        ("EXECUTE IMMEDIATE 'SELECT ? + ?, ''it''''s''' USING 1, DOUBLE '2.5'", [[3.5, "it's"]]),
        ("SHOW CATALOGS", [["consumer"]]),
        ("SHOW SCHEMAS LIKE 'o%'", [["oso"]]),
        ("SHOW TABLES FROM consumer.oso LIKE 'projects_v1'", [["projects_v1"]]),
        ("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users_v1'", SOME),
        ("SELECT table_schem FROM system.jdbc.tables WHERE table_name = 'projects_v1'", [["oso"]]),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4) SELECT sum(x) FROM n", [[10]]),
    ],
)  # fmt: skip
def test_a_query_means_what_it_means_on_trino(engine, sql, golden):
    found = rows(engine, sql)
    assert found if golden is SOME else found == golden


def test_columns_without_a_name_are_called_as_on_trino(engine):
    found = engine.run('SELECT 1, project_id, count(*) AS "Projects" FROM projects_v1 GROUP BY 2')
    assert [column[0] for column in found.description] == ["_col0", "project_id", "Projects"]


def test_describe_tells_columns_types_and_their_meaning(engine):
    first = rows(engine, "DESCRIBE oso.projects_v1")[0]
    assert first[:3] == ["project_id", "varchar", ""] and first[3].startswith("Id of the project")
    types = {row[1] for row in rows(engine, "SHOW COLUMNS FROM artifacts_by_project_v1")}
    assert types == {"varchar", "timestamp(6) with time zone"}
    with pytest.raises(QueryError, match="There is no table consumer.oso.nothing"):
        rows(engine, "DESCRIBE nothing")


@pytest.mark.parametrize(
    ("sql", "parameters", "golden"),
    [
        ("SELECT ?, ?, ?", ["it's", 1.5, None], [["it's", "1.5", None]]),
        ("SELECT contains(:names, 'b'), :n + 1", {"names": ["a", "b"], "n": 2}, [[True, 3]]),
        ("SELECT count(*) FROM projects_v1 WHERE project_id IN (:ids)", {"ids": ["a", "c"]}, [[2]]),
        ("SELECT count(*) FROM projects_v1 WHERE project_id IN (?) OR project_id NOT IN (?)", [[], []], [[3]]),
        ("SELECT ?", ["' || (SELECT project_id FROM projects_v1) || '"],
         [["' || (SELECT project_id FROM projects_v1) || '"]]),
    ],
)  # fmt: skip
def test_a_parameter_is_a_value_and_never_sql(engine, sql, parameters, golden):
    out = io.BytesIO()
    found = engine.run(sql, parameters)
    reader = found.to_arrow_reader(1000)
    with WRITERS["trino"](out, columns_of(found, reader.schema)) as writer:
        for batch in reader:
            writer.write(batch)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == golden


@pytest.mark.parametrize(
    ("sql", "parameters", "sentence"),
    [
        ("SELECT ?, ?", [1], "2 `\\?` and 1 parameters"),
        ("SELECT 1", [1], "0 `\\?` and 1 parameters"),
        ("SELECT 1", {"a": 1}, "do not match: a"),
        ("SELECT :a", None, "do not match: a"),
        ("SELECT ?", None, "1 `\\?` and 0 parameters"),
        ("SELECT :a, ?", {"a": 1}, "do not mix"),
        ("SELECT ?", {"a": 1}, "do not match: a"),
        ("SELECT :a", {"b": 1}, "do not match: a, b"),
        ("SELECT :a", [1], "do not mix"),
        ("SELECT ?", [{"a": 1}], "A parameter is a string, a number"),
        ("EXECUTE IMMEDIATE 'SELECT ?' USING (SELECT 1)", None, "literals only"),
        ("EXECUTE IMMEDIATE 'SELECT ?' USING 1 FROM projects_v1", None, "literals only"),
        ("EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SELECT 1'''", None, "is not served"),
        ("EXECUTE p1 USING 1", None, "prepared statements by name are not"),
    ],
)
def test_parameters_that_do_not_fit_are_named(engine, sql, parameters, sentence):
    with pytest.raises(QueryError, match=sentence):
        engine.run(sql, parameters)
