"""Runs a Great Expectations suite on staged Parquet files; imported inside the step, it takes seconds to import."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from include.quality.kept import checks_of, write_checks


def failures(folder: Path, suites: Mapping[str, tuple[Sequence[str], Sequence[object]]]) -> list[str]:
    """One phrase for each expectation that fails; `suites` gives columns and expectations by stream.

    A stream without rows has no file and is not looked at. What each expectation found is left beside the files.
    """
    import great_expectations as gx
    import pyarrow.parquet as pq

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    found, checks = [], []
    for stream, (columns, expectations) in suites.items():
        path = folder / f"{stream}.parquet"
        if not path.exists():
            continue
        frame = pq.read_table(path, columns=list(columns)).to_pandas(date_as_object=True)
        asset = context.data_sources.add_pandas(stream).add_dataframe_asset(stream)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        result = batch.validate(gx.ExpectationSuite(name=stream, expectations=list(expectations)))
        found += [_phrase(stream, check) for check in result.results if not check.success]
        checks += checks_of(stream, result)
    write_checks(folder, checks)
    return found


def _phrase(stream: str, check) -> str:
    config, result = check.expectation_config, check.result or {}
    column = config.kwargs.get("column")
    where = f"{stream}.{column}" if column else stream
    unexpected = result.get("partial_unexpected_list") or []
    # the phrase is shown to anybody: of an address, only where it is
    sample = re.sub(r"[^\s@]+@", "…@", str(unexpected[0]))[:60] if unexpected else None
    detail = f" ({result.get('unexpected_count')} rows, such as {sample!r})" if unexpected else ""
    if not detail and "observed_value" in result:
        detail = f" (found {result['observed_value']})"
    return f"{where}: {config.type}{detail}"
