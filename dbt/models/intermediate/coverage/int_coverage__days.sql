with

judged as (

    select * from {{ ref('int_coverage__archive_days') }}

),

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
            when judged.files_complete < 25 then 'hours are missing, damaged or known from BigQuery''s copy alone'
            when judged.status = 'part' then 'below 60 % of the usual lines'
        end as reason

    from judged
    cross join {{ ref('github_families') }} as families
    left join caps
        on judged.day = caps.day and families.family = caps.family

),

cut_pushes as (

    select distinct
        artifact_id,
        day

    from {{ ref('int_coverage__cut_pushes') }}

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
