{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ clear(rebuilt_metrics('sample_date')) }}",
    properties={'partitioning': "ARRAY['month(sample_date)']"}
) }}
-- What there is on a day, by the newest snapshot: counts of a repository hold for a week, dependents until the next one.
{% set whole -%}
    select entities.artifact_id from {{ ref('met_entities') }} as entities
    inner join {{ ref('met_rebuild') }} as changed on entities.entity_id = changed.entity_id
{%- endset %}
with

as_of as (

    select
        metric,
        as_of

    from {{ ref('met_metrics') }}
    where row_class = 'K' and as_of is not null

),

repositories as (

    select
        {{ nid(["'artifact'", "'GITHUB'", "'repo:' || cast(repo_id as varchar)"]) }} as artifact_id,
        snapshot_day,
        star_count,
        fork_count,
        watcher_count,
        open_issue_count

    from {{ ref('stg_github_repositories__repositories') }}

),

counts as (

    select
        repositories.artifact_id,
        kinds.metric,
        repositories.snapshot_day,
        case kinds.metric
            when 'stars_total' then repositories.star_count
            when 'forks_total' then repositories.fork_count
            when 'watchers_total' then repositories.watcher_count
            else repositories.open_issue_count
        end as amount

    from repositories
    cross join (
        values ('stars_total'), ('forks_total'), ('watchers_total'), ('open_issues_total')
    ) as kinds (metric)
    where {{ rebuilt('repositories.snapshot_day', rebuild_day(back=6), 'repositories.artifact_id', whole) }}

),

followed as (

    select
        artifact_id,
        metric,
        snapshot_day,
        amount,
        lead(snapshot_day) over (partition by artifact_id, metric order by snapshot_day) as next_day

    from counts
    where amount is not null

),

held as (

    select
        followed.artifact_id,
        followed.metric,
        followed.snapshot_day as first_day,
        least(
            {{ plus_days('followed.snapshot_day', 6) }},
            coalesce({{ plus_days('followed.next_day', -1) }}, as_of.as_of),
            as_of.as_of
        ) as last_day,
        followed.amount

    from followed
    inner join as_of
        on followed.metric = as_of.metric and followed.snapshot_day <= as_of.as_of

),

packages as (

    select distinct
        entities.entity_level,
        entities.entity_id,
        names.identity as package_name

    from {{ ref('met_entities') }} as entities
    inner join {{ ref('int_artifacts__matches') }} as names
        on entities.artifact_id = names.artifact_id and names.kind = 'npm'
    where entities.member_source = 'DEPS_DEV'

),

asked as (

    select
        snapshot_day,
        package_name

    from {{ ref('stg_bigquery__dependent_days') }}
    where package_source = 'NPM' and package_name <> ''

),

ordered as (

    select
        snapshot_day,
        lead(snapshot_day) over (order by snapshot_day) as next_day

    from (select distinct snapshot_day from asked) as snapshots

),

periods as (

    select
        ordered.snapshot_day,
        coalesce(least({{ plus_days('ordered.next_day', -1) }}, as_of.as_of), as_of.as_of) as last_day

    from ordered
    inner join as_of
        on as_of.metric = 'dependents' and ordered.snapshot_day <= as_of.as_of

),

depending as (

    select
        packages.entity_level,
        packages.entity_id,
        periods.snapshot_day as first_day,
        periods.last_day,
        -- what the entity owns itself is left out
        count(distinct case when own.package_name is null then dependents.dependent_name end) as amount

    from periods
    inner join asked
        on periods.snapshot_day = asked.snapshot_day
    inner join packages
        on asked.package_name = packages.package_name
    left join {{ ref('stg_bigquery__dependents') }} as dependents
        on
            asked.snapshot_day = dependents.snapshot_day
            and asked.package_name = dependents.package_name
            and dependents.package_source = 'NPM'
    left join packages as own
        on
            packages.entity_level = own.entity_level
            and packages.entity_id = own.entity_id
            and dependents.dependent_name = own.package_name
    where {{ rebuilt_metrics('periods.last_day', 'packages.entity_id') }}
    group by 1, 2, 3, 4

)

select
    held.metric,
    'GITHUB' as metric_source,
    entities.entity_level,
    entities.entity_id,
    d.day as sample_date,
    cast(sum(held.amount) as double) as amount
from held
cross join {{ days('held.first_day', 'held.last_day') }} as d (day)
inner join {{ ref('met_entities') }} as entities
    on held.artifact_id = entities.artifact_id and entities.member_source = 'GITHUB'
where {{ rebuilt_metrics('d.day', 'entities.entity_id') }}
group by 1, 2, 3, 4, 5

union all

select
    'dependents' as metric,
    'DEPS_DEV' as metric_source,
    depending.entity_level,
    depending.entity_id,
    d.day as sample_date,
    cast(depending.amount as double) as amount
from depending
cross join {{ days('depending.first_day', 'depending.last_day') }} as d (day)
where {{ rebuilt_metrics('d.day', 'depending.entity_id') }}
