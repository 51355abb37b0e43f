-- The first event day that this build computes anew: the earliest landed, a late or changed event's,
-- the day after a family's coverage ended when it has moved, or all when a family is new.
{% if not is_partial() %}
select
    date '1970-01-01' as from_day,
    '{{ told("run_id") }}' as run_id
{% else %}
{% set landed = "date '" ~ told("rebuild_from") ~ "'" %}
with

as_of as (

    select * from {{ ref('int_coverage__as_of_now') }}

),

built as (

    select * from {{ last_build('int_coverage__as_of') }}

),

moved as (

    -- a family that is new, or gone, may bear on every window of its source
    select
        case
            when as_of.as_of is null or built.as_of is null then date '1969-12-31' else least(as_of.as_of, built.as_of)
        end as day
    from as_of
    full outer join built
        on as_of.source = built.source and as_of.family = built.family
    where as_of.as_of is distinct from built.as_of

),

reasons as (

    select {{ landed }} as from_day
    union all
    select {{ plus_days('day', 1) }} as from_day
    from moved
    union all
    select event_day as from_day
    from {{ ref('int_rebuild__github') }}
    union all
    select event_day as from_day
    from {{ ref('int_rebuild__others') }}
    union all
    -- nothing to add up from: the landing is older than all that was built
    select date '1970-01-01' as from_day
    from {{ last_build('met_starts') }}
    where first_day >= {{ landed }}
    union all
    select from_day
    from {{ this }}
    where run_id = '{{ told("run_id") }}'

)

select
    min(from_day) as from_day,
    '{{ told("run_id") }}' as run_id
from reasons
{% endif %}
