{% set columns = {
    'package_count': ['packages_over_all_time', 'bigint'],
    'downloads_30_days': ['downloads_over_30_day_period', 'bigint'],
    'downloads_90_days': ['downloads_over_90_day_period', 'bigint'],
    'downloads_180_days': ['downloads_over_180_day_period', 'bigint'],
    'downloads_previous_30_days': ['downloads_over_30_day_period', 'bigint', 'previous_amount'],
    'downloads_all_time': ['downloads_over_all_time', 'bigint'],
    'releases_ever': ['package_releases_over_all_time', 'double'],
    'package_releases_180_days': ['package_releases_over_180_day_period', 'bigint'],
    'days_between_releases_median': ['days_between_releases_median_over_all_time', 'double'],
    'dependent_count': ['dependents_daily', 'bigint'],
} %}
{% set with_packages -%}
    newest.metric_source in ('NPM', 'DEPS_DEV')
    and newest.entity_id in (select entity_id from {{ ref('met_entities') }} where member_source = 'NPM')
{%- endset %}
with

{{ project_numbers(columns, with_packages, "'NPM'") }},

release_days as (

    select
        entity_id as project_id,
        max(event_day) as last_day

    from {{ ref('met_daily') }}
    where metric_source = 'NPM' and metric = 'package_releases' and entity_level = 'project'
    group by entity_id

)

select
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    projects.display_name,
    numbers.event_source,
    numbers.package_count,
    numbers.downloads_30_days,
    numbers.downloads_90_days,
    numbers.downloads_180_days,
    numbers.downloads_previous_30_days,
    numbers.downloads_all_time,
    case when numbers.releases_ever is not null then release_days.last_day end as latest_release_date,
    numbers.package_releases_180_days,
    numbers.days_between_releases_median,
    numbers.dependent_count,
    numbers.as_of,
    numbers.quality,
    numbers.coverage,
    {{ run_columns() }}
from numbers
inner join {{ ref('projects_v1') }} as projects
    on numbers.project_id = projects.project_id
left join release_days
    on numbers.project_id = release_days.project_id
