{#- told(name): what the caller tells this build, by environment variable OPENIMPACT_BUILD, a JSON object: rebuild_from (ISO
    day, or `all`), run_id, run_day (ISO), computed_at (UTC), sources_off, vectors and snapshots. A var would make dbt parse
    the whole project anew for every build; nothing is told while it parses. -#}
{% macro told(name) %}
    {%- set defaults = {
        "rebuild_from": "all",
        "run_id": "none",
        "run_day": run_started_at.strftime("%Y-%m-%d"),
        "computed_at": run_started_at.strftime("%Y-%m-%d %H:%M:%S"),
        "sources_off": [],
        "vectors": [],
        "snapshots": {},
    } -%}
    {{ return((fromjson(env_var("OPENIMPACT_BUILD", "{}")) if execute else {}).get(name, defaults[name])) }}
{% endmacro %}
