"""The audit's expectations on the exports: complete, not empty, not shrunk."""

from include.quality.kept import checks_of

KEEP_AT_LEAST = 0.8  # of the rows of the release before
MAY_SHRINK = {"coverage_v1", "mapping_issues_v1"}  # a row is a run of days alike, or a problem: mended data has fewer
MUST_HAVE_ROWS = {"projects_v1", "artifacts_v1", "metrics_v1", "event_types_v1", "coverage_v1", "sources_v1"}


def failures(rows: dict[str, int], before: dict[str, int], expected: set[str]) -> tuple[list[str], list[dict]]:
    """What is wrong with the exports, one phrase each, empty if nothing is; and what each expectation found.

    `rows` and `before` are rows by table, now and in the current release; those of MAY_SHRINK are not compared;
    `expected` names the tables that must be there.
    """
    import great_expectations as gx
    import pandas as pd

    table = pd.DataFrame(
        {
            "name": name,
            "present": name in rows,
            "ratio": rows.get(name, 0) / before[name] if before.get(name) and name not in MAY_SHRINK else 1.0,
            "listed": name not in MUST_HAVE_ROWS or rows.get(name, 0) > 0,
        }
        for name in sorted(expected | set(before))
    )
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("exports").add_dataframe_asset("tables")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    suite = gx.ExpectationSuite(
        name="exports",
        expectations=[
            gx.expectations.ExpectColumnValuesToBeInSet(column="present", value_set=[True]),
            gx.expectations.ExpectColumnValuesToBeInSet(column="listed", value_set=[True]),
            gx.expectations.ExpectColumnValuesToBeBetween(column="ratio", min_value=KEEP_AT_LEAST),
        ],
    )
    result = batch.validate(
        suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["name"]}
    )
    phrases = {
        "present": "{} is missing",
        "listed": "{} is empty",
        "ratio": "{} shrank below 80 % of the release before",
    }
    found = []
    for check in result.results:
        for row in (check.result or {}).get("unexpected_index_list") or []:
            found.append(phrases[check.expectation_config.kwargs["column"]].format(row["name"]))
    if not result.success and not found:
        found.append("an expectation could not be evaluated")
    return found, checks_of("exports", result)
