-- What the impact vectors compare: of each project the newest whole window, and the one before.
with

wanted as (

    select * from {{ ref('met_vector_members') }}

),

windows as (

    select * from {{ ref('met_vector_windows') }}

),

{{ window_quality('windows') }},

-- before the days of ours nothing was seen, which is nothing for what was not born
calendar as (

    select
        windows.metric_id,
        windows.project_id,
        windows.age,
        windows.sample_date,
        coalesce(judged.quality, case when windows.born_on > windows.last_day then 'ok' else 'unknown' end) as quality,
        series.amount

    from windows
    left join judged
        on
            windows.metric_id = judged.metric_id
            and windows.project_id = judged.project_id
            and windows.age = judged.age
    left join {{ ref('met_series') }} as series
        on
            windows.metric_id = series.metric_id
            and series.entity_level = 'project'
            and windows.project_id = series.entity_id
            and windows.sample_date = series.sample_date

),

newest as (

    select
        metric_id,
        entity_id as project_id,
        sample_date,
        quality,
        amount,
        previous_quality,
        previous_amount

    from {{ ref('met_key') }}
    where entity_level = 'project'

    union all

    select
        now.metric_id,
        now.project_id,
        now.sample_date,
        now.quality,
        now.amount,
        past.quality as previous_quality,
        past.amount as previous_amount

    from calendar as now
    inner join calendar as past
        on now.metric_id = past.metric_id and now.project_id = past.project_id and past.age = 1
    where now.age = 0

)

select
    wanted.metric_source,
    wanted.metric,
    wanted.window_name,
    wanted.project_id,
    case when wanted.as_of is not null then newest.sample_date end as sample_date,
    case when newest.quality in ('ok', 'partial') then coalesce(newest.amount, 0e0) end as amount,
    case when newest.previous_quality in ('ok', 'partial') then coalesce(newest.previous_amount, 0e0) end as previous_amount
from wanted
left join newest
    on wanted.metric_id = newest.metric_id and wanted.project_id = newest.project_id
