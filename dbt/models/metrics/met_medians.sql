-- Exact medians. A rolling one changes only on days on which a case comes into its window or leaves it.
{% set epoch = "date '1970-01-01'" %}
with

entities as (

    select distinct
        entity_level,
        entity_id

    from {{ ref('met_entities') }}

),

series_names as (

    select distinct
        metric,
        metric_source

    from {{ ref('met_metrics') }}
    where metric like '%median'

),

-- a number for each keeps the rows narrow that are sorted
series as (

    select
        names.metric,
        names.metric_source,
        entities.entity_level,
        entities.entity_id,
        row_number() over (
            order by names.metric, names.metric_source, entities.entity_level, entities.entity_id
        ) as series_no

    from entities
    cross join series_names as names

),

cases as (

    select
        series.series_no,
        cases.metric,
        cases.metric_source,
        cases.entity_id,
        cases.event_day,
        cases.day_no,
        cases.amount

    from {{ ref('met_cases') }} as cases
    inner join series
        on
            cases.metric = series.metric
            and cases.metric_source = series.metric_source
            and cases.entity_level = series.entity_level
            and cases.entity_id = series.entity_id

),

recent as (

    select * from cases
    where {{ from_windows_start('event_day') }}

),

last_day as (

    select max(as_of) as day from {{ ref('met_metrics') }}

),

marks as (

    select distinct
        recent.series_no,
        lengths.length_days,
        case
            when whole.entity_id is not null then recent.day_no + edges.lengths_later * lengths.length_days
            else greatest(
                recent.day_no + edges.lengths_later * lengths.length_days,
                date_diff('day', {{ epoch }}, {{ rebuild_day() }})
            )
        end as day_no

    from recent
    cross join (values (30), (90), (180)) as lengths (length_days)
    cross join (values (0), (1)) as edges (lengths_later)
    left join {{ ref('met_rebuild') }} as whole
        on recent.entity_id = whole.entity_id

),

framed as (

    {% for length_days in [30, 90, 180] -%}
    {% set timeline -%}
        select series_no, day_no, amount, false as is_mark
        from recent
        where {{ rebuilt('event_day', rebuild_day(back=length_days - 1), 'entity_id', "select entity_id from " ~ ref('met_rebuild')) }}
        union all
        select series_no, day_no, cast(null as bigint) as amount, true as is_mark
        from marks
        where length_days = {{ length_days }}
    {%- endset -%}
    select
        series_no,
        {{ length_days }} as length_days,
        day_no,
        amount
    from ({{ median_over(timeline, length_days) }}) as timeline
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

followed as (

    select
        series_no,
        length_days,
        day_no,
        amount,
        lead(day_no) over (partition by series_no, length_days order by day_no) as next_day_no

    from framed

),

pieces as (

    select
        followed.*,
        {{ plus_days(epoch, 'followed.day_no') }} as from_day,
        least({{ plus_days(epoch, 'followed.next_day_no - 1') }}, last_day.day) as to_day

    from followed
    cross join last_day
    where followed.amount is not null and {{ plus_days(epoch, 'followed.day_no') }} <= last_day.day

),

united as (

    select
        recent.series_no,
        periods.window_name,
        periods.sample_date,
        {{ plus_days('periods.next_date', -1) }} as last_day,
        recent.amount
    from recent
    inner join {{ ref('met_periods') }} as periods
        on recent.event_day = periods.day
    where
        periods.window_name <> 'daily'
        and {{ rebuilt_metrics(plus_days('periods.next_date', -1), 'recent.entity_id') }}

    union all

    select
        cases.series_no,
        metrics.window_name,
        metrics.as_of as sample_date,
        metrics.as_of as last_day,
        cases.amount
    from cases
    inner join {{ ref('met_metrics') }} as metrics
        on
            cases.metric = metrics.metric
            and cases.metric_source = metrics.metric_source
            and metrics.period = 'all'

),

ranked as (

    select
        *,
        row_number() over (partition by sample_date, series_no, window_name order by amount) as place,
        count(*) over (partition by sample_date, series_no, window_name) as case_count

    from united

),

calendar as (

    select
        series_no,
        window_name,
        sample_date,
        last_day,
        cast(sum(amount) as double) / count(*) as amount

    from ranked
    where 2 * place between case_count and case_count + 2
    group by
        series_no,
        window_name,
        sample_date,
        last_day

),

medians as (

    select * from calendar
    union all
    select
        pieces.series_no,
        'over_' || cast(pieces.length_days as varchar) || '_day_period' as window_name,
        sample.day as sample_date,
        sample.day as last_day,
        pieces.amount
    from pieces
    inner join series
        on pieces.series_no = series.series_no
    cross join {{ days('pieces.from_day', 'pieces.to_day') }} as sample (day)
    where {{ rebuilt_metrics('sample.day', 'series.entity_id') }}

)

select
    series.metric,
    series.metric_source,
    series.entity_level,
    series.entity_id,
    medians.window_name,
    medians.sample_date,
    medians.last_day,
    medians.amount / case series.metric when 'days_between_releases_median' then 86400 else 1 end as amount
from medians
inner join series
    on medians.series_no = series.series_no
