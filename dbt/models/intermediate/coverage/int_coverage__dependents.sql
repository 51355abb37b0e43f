-- Packages whose dependents are known on a day: deps.dev's newest snapshot holds until its next one, which may have been on
-- a day that was not read.
with

days as (

    select
        snapshot_day as day,
        sum(case when has_snapshot then 1 else 0 end) over (
            order by snapshot_day rows between unbounded preceding and current row
        ) as snapshot_no

    from {{ ref('stg_bigquery__dependent_days') }}
    where package_source = 'NPM' and package_name = '' and status = 'complete'

),

held as (

    select
        day,
        min(day) over (partition by snapshot_no) as snapshot_day,
        row_number() over (partition by snapshot_no order by day) as place

    from days
    where snapshot_no > 0

)

select
    {{ nid(["'artifact'", "'NPM'", 'asked.package_name']) }} as artifact_id,
    held.day,
    held.snapshot_day,
    case when date_diff('day', held.snapshot_day, held.day) = held.place - 1 then 'full' else 'part' end as status
from held
inner join {{ ref('stg_bigquery__dependent_days') }} as asked
    on held.snapshot_day = asked.snapshot_day and asked.package_source = 'NPM' and asked.package_name <> ''
