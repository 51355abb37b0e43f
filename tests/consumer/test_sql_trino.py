"""Trino's protocol, spoken by Trino's own client and by SQLAlchemy."""

from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest
import sqlalchemy
import trino

from consumer.sql import api, trino_wire
from consumer.sql.trino_wire import signature
from consumer.sql.workers import Limits


@pytest.fixture(scope="module")
def url(sql_url):
    return sql_url


def connect(url, **more):
    host, port = url.removeprefix("http://").split(":")
    return trino.dbapi.connect(host=host, port=int(port), user="u", catalog="consumer", schema="oso", **more)


@pytest.fixture(scope="module")
def cursor(url):
    return connect(url).cursor()


def test_every_type_comes_as_the_python_value_of_trinos_client(cursor):
    cursor.execute(
        "SELECT 'ä', 9007199254740993, 1.5e0, DECIMAL '1.50', TRUE, DATE '2026-01-31', "
        "TIMESTAMP '2026-01-31 10:20:30', TIMESTAMP '2026-01-31 10:20:30 UTC', "
        "ARRAY[1, NULL], MAP(ARRAY['a'], ARRAY[1]), X'61', NULL, nan(), "
        "cast(ROW(1, 'x') AS row(a bigint, b varchar)), ARRAY[DATE '2026-01-31']"
    )
    (row,) = cursor.fetchall()
    assert row[:6] == ["ä", 9007199254740993, 1.5, Decimal("1.50"), True, date(2026, 1, 31)]
    assert row[6] == datetime(2026, 1, 31, 10, 20, 30) and row[7] == datetime(2026, 1, 31, 10, 20, 30, tzinfo=UTC)
    assert row[8:12] == [[1, None], {"a": 1}, b"a", None]
    assert row[12] != row[12] and row[13] == (1, "x") and row[14] == [date(2026, 1, 31)]
    kinds = [column[1] for column in cursor.description]
    assert kinds[:9] == [
        "varchar", "bigint", "double", "decimal(3, 2)", "boolean", "date", "timestamp(6)",
        "timestamp(6) with time zone", "array(integer)",
    ]  # fmt: skip


def test_many_rows_come_in_pages(cursor, monkeypatch):
    monkeypatch.setattr(trino_wire, "PAGE_BYTES", 1000)
    cursor.execute("SELECT x, 'ä' FROM UNNEST(sequence(1, 2500)) AS t(x) ORDER BY x")
    assert cursor.fetchall() == [[n, "ä"] for n in range(1, 2501)]
    cursor.execute("SELECT x FROM UNNEST(sequence(1, 5)) AS t(x) WHERE x > 5")
    assert cursor.fetchall() == [] and cursor.description[0][0] == "x"


def test_parameters_are_bound(cursor):
    cursor.execute("SELECT project_id FROM projects_v1 WHERE project_name = ?", ["it's"])
    assert cursor.fetchall() == [["b"]]
    day, at = date(2026, 1, 31), datetime(2026, 1, 31, 10, tzinfo=UTC)
    cursor.execute("SELECT ?, ?, ?, ?, ?, ?, ?", [1, 1.5, None, True, day, at, Decimal("1.25")])
    assert cursor.fetchall() == [[1, 1.5, None, True, day, at, Decimal("1.25")]]


@pytest.mark.parametrize(
    ("sql", "name", "kind"),
    [
        ("SELEC", "SYNTAX_ERROR", trino.exceptions.TrinoUserError),
        ("SELECT (", "SYNTAX_ERROR", trino.exceptions.TrinoUserError),
        ("SELECT * FROM secret", "TABLE_NOT_FOUND", trino.exceptions.TrinoUserError),
        ("DROP TABLE projects_v1", "NOT_SUPPORTED", trino.exceptions.TrinoUserError),
        ("SELECT x FROM UNNEST(sequence(1, 100001)) t(x)", "EXCEEDED_OUTPUT_LIMIT", trino.exceptions.TrinoQueryError),
    ],
)
def test_an_error_has_the_name_and_the_class_that_trinos_has(cursor, sql, name, kind):
    with pytest.raises(kind) as raised:
        cursor.execute(sql).fetchall()
    assert raised.value.error_name == name and raised.value.message.endswith(".")


def test_a_slow_query_answers_at_once_and_can_be_cancelled(url, monkeypatch):
    monkeypatch.setattr(trino_wire, "HOLD_S", 0.0)
    slow = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT count(*) FROM t"
    first = httpx.post(f"{url}/v1/statement", content=slow).json()
    assert first["stats"]["state"] == "RUNNING" and "data" not in first
    assert httpx.delete(first["nextUri"]).status_code == 204
    page = first
    while "nextUri" in page:
        page = httpx.get(page["nextUri"]).json()
    assert page["error"]["errorName"] == "USER_CANCELED"


def test_session_properties_and_roles_of_a_client_change_nothing(url, monkeypatch):
    monkeypatch.setitem(api.LIMITS, "anonymous", Limits(seconds=5, rows=1, bytes=100))
    cursor = connect(url, session_properties={"query_max_run_time": "1d"}, roles={"consumer": "admin"}).cursor()
    with pytest.raises(trino.exceptions.TrinoQueryError, match="more than 1 rows"):
        cursor.execute("SELECT x FROM UNNEST(sequence(1, 5)) AS t(x)").fetchall()


@pytest.mark.parametrize("path", ["x/y/0", "../../catalog.db/y/0", "x/y/-1"])
def test_a_page_of_nobodys_query_is_not_found(url, path):
    assert httpx.get(f"{url}/v1/statement/executing/{path}").status_code == 404


def test_a_page_needs_the_token_of_its_query(url):
    query = httpx.post(f"{url}/v1/statement", content="SELECT 1").json()["id"]
    assert httpx.get(f"{url}/v1/statement/executing/{query}/{'A' * 22}/0").status_code == 404


def test_sqlalchemy_asks_binds_and_inspects(url):
    engine = sqlalchemy.create_engine(url.replace("http://", "trino://u@") + "/consumer/oso")
    with engine.connect() as connection:
        found = connection.execute(
            sqlalchemy.text("SELECT project_name FROM projects_v1 WHERE project_id = :id"), {"id": "b"}
        )
        assert found.all() == [("it's",)]
        inspector = sqlalchemy.inspect(connection)
        assert "oso" in inspector.get_schema_names() and "projects_v1" in inspector.get_table_names("oso")
        assert inspector.get_view_names("oso") == []
        columns = {column["name"]: column for column in inspector.get_columns("projects_v1", "oso")}
        assert str(columns["project_id"]["type"]) == "VARCHAR" and columns["project_id"]["nullable"] is False
        assert columns["project_id"]["comment"].startswith("Id of the project")
        assert inspector.get_table_comment("projects_v1", "oso")["text"].startswith("One row per project")
        assert inspector.has_table("projects_v1", "oso") and not inspector.has_table("secret", "oso")
        table = sqlalchemy.Table("projects_v1", sqlalchemy.MetaData(schema="oso"), autoload_with=connection)
        count = sqlalchemy.select(sqlalchemy.func.count()).select_from(table).where(table.c.project_name == "ä")
        assert connection.execute(count).scalar() == 1


def test_show_and_describe_answer(cursor):
    assert cursor.execute("SHOW CATALOGS").fetchall() == [["consumer"]]
    assert ["oso"] in cursor.execute("SHOW SCHEMAS FROM consumer").fetchall()
    assert cursor.execute("SHOW TABLES LIKE 'projects_v_'").fetchall() == [["projects_v1"]]
    assert cursor.execute("DESCRIBE consumer.oso.projects_v1").fetchall()[0][:2] == ["project_id", "varchar"]


def test_a_type_is_told_with_what_it_is_made_of():
    long = {"kind": "LONG", "value": 2147483647}
    text = {"rawType": "varchar", "arguments": [long]}
    assert signature("array(row(name varchar, n decimal(3, 2)))") == {
        "rawType": "array",
        "arguments": [
            {
                "kind": "TYPE",
                "value": {
                    "rawType": "row",
                    "arguments": [
                        {"kind": "NAMED_TYPE", "value": {"fieldName": {"name": "name"}, "typeSignature": text}},
                        {
                            "kind": "NAMED_TYPE",
                            "value": {
                                "fieldName": {"name": "n"},
                                "typeSignature": {
                                    "rawType": "decimal",
                                    "arguments": [{"kind": "LONG", "value": 3}, {"kind": "LONG", "value": 2}],
                                },
                            },
                        },
                    ],
                },
            }
        ],
    }
    assert signature("timestamp(6) with time zone") == {
        "rawType": "timestamp with time zone",
        "arguments": [{"kind": "LONG", "value": 6}],
    }
