with

-- lost whole whatever the lines say: no measure for other days
lost as (

    select distinct calendar.day

    from {{ ref('int_calendar__days') }} as calendar
    inner join {{ ref('archive_caps') }} as caps
        on calendar.day between caps.from_day and caps.to_day
    where caps.family = '*' and caps.status = 'none'

),

days as (

    select
        calendar.day,
        coalesce(landed.hours_present, 0) as hours_present,
        coalesce(landed.files_complete, 0) as files_complete,
        coalesce(landed.line_count, 0) as line_count,
        lost.day is not null as is_lost

    from {{ ref('int_calendar__days') }} as calendar
    left join {{ ref('stg_github_archive__days') }} as landed
        on calendar.day = landed.archive_day
    left join lost
        on calendar.day = lost.day

),

{{ archive_day_status('days') }},

caps as (

    select
        families.family,
        judged.day,
        -- none < part: the strictest cap of the day holds
        min(caps.status) as status,
        min_by(caps.reason, caps.status) as reason

    from judged
    cross join {{ ref('github_families') }} as families
    inner join {{ ref('archive_caps') }} as caps
        on
            judged.day between caps.from_day and caps.to_day
            and caps.family in ('*', families.family)
    group by
        families.family,
        judged.day

),

whole as (

    select
        families.family,
        judged.day,
        judged.hours_present,
        case
            when judged.status = 'none' or caps.status = 'none' then 'none'
            when judged.status = 'part' or caps.status = 'part' then 'part'
            else 'full'
        end as status,
        cast(judged.line_count as double) / nullif(judged.median_lines, 0) as ratio,
        case
            when judged.hours_present = 0 then 'no hour was landed'
            when judged.status = 'none' and not judged.is_lost then 'below 20 % of the usual lines'
            when caps.status is not null then caps.reason
            when judged.files_complete < 25 then 'hours are missing or damaged'
            when judged.status = 'part' then 'below 60 % of the usual lines'
        end as reason

    from judged
    cross join {{ ref('github_families') }} as families
    left join caps
        on judged.day = caps.day and families.family = caps.family

),

-- a push lists 20 commits at most: what it leaves out was not seen
cut_pushes as (

    select distinct
        repositories.artifact_id,
        {{ utc_day('events.created_at') }} as day

    from {{ ref('stg_github_archive__events') }} as events
    inner join {{ ref('int_artifacts__github_repositories') }} as repositories
        on events.repo_id = repositories.repo_id
    where events.github_type = 'PushEvent' and events.listed_commits < events.push_size

)

select
    'GITHUB' as source,
    'archive' as provider,
    family,
    cast(null as varchar) as artifact_id,
    day,
    status,
    cast(24 as bigint) as units_expected,
    cast(hours_present as bigint) as units_present,
    ratio,
    reason
from whole

union all

select
    'GITHUB' as source,
    'archive' as provider,
    whole.family,
    cut_pushes.artifact_id,
    whole.day,
    'part' as status,
    cast(24 as bigint) as units_expected,
    cast(whole.hours_present as bigint) as units_present,
    whole.ratio,
    'a push lists fewer commits than it holds' as reason
from cut_pushes
inner join whole
    on cut_pushes.day = whole.day
where whole.family = 'commits' and whole.status = 'full'
