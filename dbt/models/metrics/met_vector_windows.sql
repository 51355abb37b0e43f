-- The newest calendar window of each project that is over on the data-through day, and the one before.
with

wanted as (

    select * from {{ ref('met_vector_members') }}

),

periods as (

    select * from {{ ref('met_periods') }}

),

-- a day of the newest calendar window that is over on the data-through day
whole as (

    select distinct
        wanted.metric_id,
        case
            when periods.next_date = {{ plus_days('wanted.as_of', 1) }} then wanted.as_of
            else {{ plus_days('periods.sample_date', -1) }}
        end as day

    from wanted
    inner join periods
        on wanted.window_name = periods.window_name and wanted.as_of = periods.day

)

select
    wanted.*,
    'project' as entity_level,
    wanted.project_id as entity_id,
    0 as age,
    newest.sample_date,
    newest.sample_date as first_day,
    {{ plus_days('newest.next_date', -1) }} as last_day,
    newest.previous_date as previous_first_day

from wanted
inner join whole
    on wanted.metric_id = whole.metric_id
inner join periods as newest
    on wanted.window_name = newest.window_name and whole.day = newest.day

union all

select
    wanted.*,
    'project' as entity_level,
    wanted.project_id as entity_id,
    1 as age,
    newest.previous_date as sample_date,
    newest.previous_date as first_day,
    {{ plus_days('newest.sample_date', -1) }} as last_day,
    earlier.previous_date as previous_first_day

from wanted
inner join whole
    on wanted.metric_id = whole.metric_id
inner join periods as newest
    on wanted.window_name = newest.window_name and whole.day = newest.day
left join periods as earlier
    on wanted.window_name = earlier.window_name and newest.previous_date = earlier.day
