{#- A build after the first recomputes only what changed: the days from a first one on, and some things whole.
    is_partial(): whether this build is such a one; rebuild_from is the earliest archive day that landed since the
    last build, or `all`. While dbt parses it is one, so that it sees what such a build reads. -#}
{% macro is_partial() %}{{ return(not execute or told("rebuild_from") != "all") }}{% endmacro %}

{#- last_build(model): the table of `model` as the last build left it; `model` must depend on the caller, so that it
    is replaced later. -#}
{% macro last_build(model) %}
    {%- if not execute -%}{{ return(this) }}{%- endif -%}
    {%- set node = graph.nodes["model." ~ project_name ~ "." ~ model] -%}
    {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) }}
{% endmacro %}

{#- rebuilt_files(archive_day, artifact_id), rebuilt_events(event_day, artifact_id), rebuilt_metrics(day, entity_id),
    rebuilt_series(window_name, sample_date, entity_id): SQL conditions that hold for what this build computes anew; of a
    series that are the windows whose last day is one of the days. -#}
{% macro rebuilt_files(archive_day, artifact_id) %}
    {{- rebuilt(archive_day, "date '" ~ told("rebuild_from") ~ "'", artifact_id, "select artifact_id from " ~ ref("int_rebuild__artifacts")) -}}
{% endmacro %}
{% macro rebuilt_events(event_day, artifact_id) %}
    {{- rebuilt(event_day, rebuild_day(), artifact_id, "select artifact_id from " ~ ref("int_rebuild__artifacts")) -}}
{% endmacro %}
{% macro rebuilt_metrics(day, entity_id="entity_id") %}
    {{- rebuilt(day, rebuild_day(), entity_id, "select entity_id from " ~ ref("met_rebuild")) -}}
{% endmacro %}
{% macro rebuilt_series(window_name, sample_date, entity_id="entity_id") %}
    {%- set from_day = rebuild_day() -%}
    {%- set first_date -%}
        case {{ window_name }}
            {% for window, period in [("weekly", "week"), ("monthly", "month"), ("quarterly", "quarter"), ("yearly", "year")] -%}
            when '{{ window }}' then {{ period_start(period, from_day) }}
            {% endfor -%}
            else {{ from_day }}
        end
    {%- endset -%}
    {{- rebuilt(sample_date, first_date, entity_id, "select entity_id from " ~ ref("met_rebuild")) -}}
{% endmacro %}
{% macro rebuilt(day, first_day, id, whole) -%}
    {%- if not is_partial() -%}
        true
    {%- elif execute and run_query("select 1 from (" ~ whole ~ ") as w limit 1").rows | length == 0 -%}
        {{ day }} >= {{ first_day }}
    {%- else -%}
        ({{ day }} >= {{ first_day }} or {{ id }} in ({{ whole }}))
    {%- endif -%}
{%- endmacro %}

{#- rebuild_day(back=0): the first event day that this build computes anew, `back` days earlier, as a date literal. -#}
{% macro rebuild_day(back=0) %}
    {%- set first = ref("int_rebuild__from") -%}
    {%- if not is_partial() or not execute -%}{{ return("date '1970-01-01'") }}{%- endif -%}
    {%- set day = run_query("select cast(" ~ plus_days("from_day", -back) ~ " as varchar) from " ~ first).rows[0][0] -%}
    {{ return("date '" ~ day ~ "'") }}
{% endmacro %}

{#- clear(condition): the statement that empties an incremental model of what it is about to compute. -#}
{% macro clear(condition) -%}
    {%- if is_incremental() -%}delete from {{ this }} where {{ condition }}{%- endif -%}
{%- endmacro %}
