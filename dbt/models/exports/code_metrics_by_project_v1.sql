{% set columns = {
    'commits_ever': ['commits_over_all_time', 'double'],
    'star_count': ['stars_total_daily', 'bigint'],
    'fork_count': ['forks_total_daily', 'bigint'],
    'contributor_count': ['contributors_over_all_time', 'bigint'],
    'contributor_count_6_months': ['contributors_over_180_day_period', 'bigint'],
    'new_contributor_count_6_months': ['new_contributors_over_180_day_period', 'bigint'],
    'fulltime_developer_average_6_months': ['full_time_developers_over_6_months', 'double'],
    'active_developer_count_6_months': ['active_developers_over_180_day_period', 'bigint'],
    'commit_count_6_months': ['commits_over_180_day_period', 'bigint'],
    'opened_pull_request_count_6_months': ['opened_pull_requests_over_180_day_period', 'bigint'],
    'merged_pull_request_count_6_months': ['merged_pull_requests_over_180_day_period', 'bigint'],
    'opened_issue_count_6_months': ['opened_issues_over_180_day_period', 'bigint'],
    'closed_issue_count_6_months': ['closed_issues_over_180_day_period', 'bigint'],
    'watcher_count': ['watchers_total_daily', 'bigint'],
    'release_count_6_months': ['releases_over_180_day_period', 'bigint'],
    'comment_count_6_months': ['comments_over_180_day_period', 'bigint'],
    'contributor_absence_factor_180_days': ['contributor_absence_factor_over_180_day_period', 'bigint'],
    'time_to_merge_median_180_days': ['time_to_merge_median_over_180_day_period', 'double'],
    'time_to_first_response_median_180_days': ['time_to_first_response_median_over_180_day_period', 'double'],
    'self_merge_rate_180_days': ['self_merge_rates_over_180_day_period', 'double'],
    'bot_activity_share_180_days': ['bot_activity_share_over_180_day_period', 'double'],
    'contributor_retention_rate_90_days': ['contributor_retention_rate_over_90_day_period', 'double'],
    'last_activity_day_no': ['last_activity_date_over_all_time', 'bigint'],
} %}
with

commit_metric as (

    select
        coverage_set,
        as_of,
        {{ period_start('month', plus_days('as_of', 1)) }} as running_month

    from {{ ref('met_metrics') }}
    where metric_source = 'GITHUB' and metric = 'full_time_developers' and window_name = 'monthly'

),

-- the last six months that are complete
months as (

    select distinct
        entities.member_source,
        entities.entity_level,
        entities.entity_id,
        metric.coverage_set,
        metric.as_of,
        cast(metric.running_month - ages.age * interval '1' month as date) as first_day,
        {{ plus_days("metric.running_month - (ages.age - 1) * interval '1' month", -1) }} as last_day,
        cast(null as date) as previous_first_day,
        false as needs_previous,
        false as first_ever

    from {{ ref('met_entities') }} as entities
    cross join commit_metric as metric
    cross join (values (1), (2), (3), (4), (5), (6)) as ages (age)
    where entities.member_source = 'GITHUB' and entities.entity_level = 'project'

),

{{ window_quality('months') }},

-- a month without a row has no full-time developer, unless nothing is known of it
six_months as (

    select
        judged.entity_id as project_id,
        'GITHUB' as event_source,
        'full_time_developers_over_6_months' as name,
        case
            when {{ worst_quality('judged.quality') }} <> 'unknown' then coalesce(sum(series.amount), 0e0) / 6
        end as amount,
        cast(null as double) as previous_amount,
        min(judged.as_of) as as_of,
        {{ worst_quality('judged.quality') }} as quality,
        min(judged.coverage) as coverage

    from judged
    left join {{ ref('met_series') }} as series
        on
            series.metric_source = 'GITHUB'
            and series.metric = 'full_time_developers'
            and series.window_name = 'monthly'
            and judged.entity_level = series.entity_level
            and judged.entity_id = series.entity_id
            and judged.first_day = series.sample_date
    group by judged.entity_id

),

{{ project_numbers(columns, "newest.metric_source = 'GITHUB'", more='six_months') }},

commit_days as (

    select
        entity_id as project_id,
        min(event_day) as first_day,
        max(event_day) as last_day

    from {{ ref('met_daily') }}
    where metric_source = 'GITHUB' and metric = 'commits' and entity_level = 'project'
    group by entity_id

),

-- no older than a count of stars may be
snapshots as (

    select
        repo_id,
        is_archived,
        row_number() over (partition by repo_id order by snapshot_day desc) as age

    from {{ ref('stg_github_repositories__repositories') }}
    where
        is_archived is not null
        and snapshot_day > (
            select {{ plus_days('max(snapshot_day)', -7) }} from {{ ref('stg_github_repositories__repositories') }}
        )

),

repositories as (

    select
        links.project_id,
        count(*) as repository_count,
        count(snapshots.repo_id) as described_count,
        count(case when snapshots.is_archived then 1 end) as archived_count

    from {{ ref('artifacts_by_project_v1') }} as links
    inner join {{ ref('artifacts_v1') }} as artifacts
        on links.artifact_id = artifacts.artifact_id
    left join snapshots
        on artifacts.artifact_source_id = 'repo:' || cast(snapshots.repo_id as varchar) and snapshots.age = 1
    where artifacts.artifact_type = 'REPOSITORY' and artifacts.status = 'live'
    group by links.project_id

)

select
    projects.project_id,
    projects.project_source,
    projects.project_namespace,
    projects.project_name,
    projects.display_name,
    numbers.event_source,
    coalesce(repositories.repository_count, 0) as repository_count,
    case when numbers.commits_ever is not null then commit_days.first_day end as first_commit_date,
    case when numbers.commits_ever is not null then commit_days.last_day end as last_commit_date,
    numbers.star_count,
    numbers.fork_count,
    numbers.contributor_count,
    numbers.contributor_count_6_months,
    numbers.new_contributor_count_6_months,
    numbers.fulltime_developer_average_6_months,
    numbers.active_developer_count_6_months,
    numbers.commit_count_6_months,
    numbers.opened_pull_request_count_6_months,
    numbers.merged_pull_request_count_6_months,
    numbers.opened_issue_count_6_months,
    numbers.closed_issue_count_6_months,
    numbers.watcher_count,
    numbers.release_count_6_months,
    numbers.comment_count_6_months,
    numbers.contributor_absence_factor_180_days,
    numbers.time_to_merge_median_180_days,
    numbers.time_to_first_response_median_180_days,
    numbers.self_merge_rate_180_days,
    numbers.bot_activity_share_180_days,
    numbers.contributor_retention_rate_90_days,
    {{ plus_days("date '1970-01-01'", 'numbers.last_activity_day_no') }} as last_activity_date,
    case
        when repositories.project_id is null then 0
        when repositories.described_count > 0 then repositories.archived_count
    end as archived_repository_count,
    numbers.as_of,
    numbers.quality,
    numbers.coverage,
    {{ run_columns() }}
from numbers
inner join {{ ref('projects_v1') }} as projects
    on numbers.project_id = projects.project_id
left join commit_days
    on numbers.project_id = commit_days.project_id
left join repositories
    on numbers.project_id = repositories.project_id
