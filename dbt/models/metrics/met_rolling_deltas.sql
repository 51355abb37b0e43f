-- Every rolling metric as changes of a running sum. An actor enters an n-day window on day t if not seen in the
-- n-1 days before, and leaves it on t+n unless seen in between. With A(n) the distinct actors of n days, N(n) the
-- new ones: active before and now = A(n) + A(n) n days ago - A(2n), and everything else follows by adding up.
{% set lengths = [30, 90, 180] %}
with

actor_days as (

    select * from {{ ref('met_actor_days') }}

),

gaps as (

    select
        actor_set,
        entity_level,
        entity_id,
        day_no,
        day_no - lag(day_no) over (
            partition by actor_set, entity_level, entity_id, actor_id order by day_no
        ) as back,
        lead(day_no) over (
            partition by actor_set, entity_level, entity_id, actor_id order by day_no
        ) - day_no as ahead

    from actor_days

),

distinct_actors as (
    {% for n in [30, 60, 90, 180, 360] %}
    select
        actor_set,
        entity_level,
        entity_id,
        {{ n }} as length_days,
        day_no,
        count(*) as delta
    from gaps
    where back is null or back >= {{ n }}
    group by actor_set, entity_level, entity_id, day_no

    union all

    select
        actor_set,
        entity_level,
        entity_id,
        {{ n }} as length_days,
        day_no + {{ n }} as day_no,
        -count(*) as delta
    from gaps
    where ahead is null or ahead >= {{ n }}
    group by actor_set, entity_level, entity_id, day_no
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

sums as (
    {% for n in lengths %}
    select
        metric,
        entity_level,
        entity_id,
        {{ n }} as length_days,
        day_no,
        amount as delta
    from {{ ref('met_daily') }}

    union all

    select
        metric,
        entity_level,
        entity_id,
        {{ n }} as length_days,
        day_no + {{ n }} as day_no,
        -amount as delta
    from {{ ref('met_daily') }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

-- active days of an actor in the window: +1 on the day, -1 when it leaves
day_counts as (
    {% for n in lengths %}
    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        {{ n }} as length_days,
        day_no,
        1 as delta
    from actor_days
    where actor_set in ('active_developers', 'contributors')

    union all

    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        {{ n }} as length_days,
        day_no + {{ n }} as day_no,
        -1 as delta
    from actor_days
    where actor_set in ('active_developers', 'contributors')
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

day_changes as (

    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        length_days,
        day_no,
        sum(delta) as delta
    from day_counts
    group by actor_set, entity_level, entity_id, actor_id, length_days, day_no

),

states as (

    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        length_days,
        day_no,
        sum(delta) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
            rows between unbounded preceding and current row
        ) as days_active

    from day_changes

),

flags as (

    select
        actor_set,
        entity_level,
        entity_id,
        actor_id,
        length_days,
        day_no,
        case when days_active * 30 >= 10 * length_days then 1 else 0 end as is_full,
        case when days_active > 0 and days_active * 30 < 10 * length_days then 1 else 0 end as is_part

    from states

),

turns as (

    select
        actor_set,
        entity_level,
        entity_id,
        length_days,
        day_no,
        is_full - lag(is_full, 1, 0) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
        ) as full_delta,
        is_part - lag(is_part, 1, 0) over (
            partition by actor_set, entity_level, entity_id, actor_id, length_days order by day_no
        ) as part_delta

    from flags

),

worked as (

    select
        case actor_set when 'contributors' then 'full_time_contributors' else 'full_time_developers' end as metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        full_delta as delta
    from turns

    union all

    select
        case actor_set when 'contributors' then 'part_time_contributors' else 'part_time_developers' end as metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        part_delta as delta
    from turns

),

base as (

    select
        actor_set as metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from distinct_actors
    where length_days in (30, 90, 180)

    union all

    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from sums

    union all

    select
        metric,
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from worked

),

twice as (

    select
        entity_level,
        entity_id,
        cast(length_days / 2 as integer) as length_days,
        day_no,
        delta
    from distinct_actors
    where actor_set = 'contributors' and length_days in (60, 180, 360)

),

contributors as (

    select * from base
    where metric = 'contributors'

),

newcomers as (

    select * from base
    where metric = 'new_contributors'

),

derived as (

    select * from base

    union all
    select
        'returning_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from contributors
    union all
    select
        'returning_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        -delta
    from newcomers

    union all
    select
        'resurrected_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from twice
    union all
    select
        'resurrected_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no + length_days,
        -delta
    from contributors
    union all
    select
        'resurrected_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        -delta
    from newcomers

    union all
    select
        'churned_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from twice
    union all
    select
        'churned_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        -delta
    from contributors

    union all
    select
        '_stayed',
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from contributors
    union all
    select
        '_stayed',
        entity_level,
        entity_id,
        length_days,
        day_no + length_days,
        delta
    from contributors
    union all
    select
        '_stayed',
        entity_level,
        entity_id,
        length_days,
        day_no,
        -delta
    from twice

    union all
    select
        '_before',
        entity_level,
        entity_id,
        length_days,
        day_no + length_days,
        delta
    from contributors
    {% for change, metric in [('active', 'contributors'), ('new', 'new_contributors'), ('full_time', 'full_time_contributors'), ('part_time', 'part_time_contributors')] %}
    union all
    select
        'change_in_{{ change }}_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no,
        delta
    from base
    where metric = '{{ metric }}'
    union all
    select
        'change_in_{{ change }}_contributors',
        entity_level,
        entity_id,
        length_days,
        day_no + length_days,
        -delta
    from base
    where metric = '{{ metric }}'
    {% endfor %}
)

select
    metric,
    entity_level,
    entity_id,
    length_days,
    day_no,
    cast(sum(delta) as bigint) as delta
from derived
group by
    metric,
    entity_level,
    entity_id,
    length_days,
    day_no
having sum(delta) <> 0
