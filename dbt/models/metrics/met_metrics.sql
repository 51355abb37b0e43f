with

catalogue as (

    select * from {{ ref('metric_catalogue') }}

),

as_of as (

    select
        families.coverage_set,
        min(known.as_of) as as_of

    from {{ ref('metric_families') }} as families
    left join {{ ref('int_coverage__as_of') }} as known
        on families.family = known.family
    group by families.coverage_set

)

select
    {{ nid(["'metric'", 'catalogue.metric_source', 'catalogue.metric', 'windows.window_name']) }} as metric_id,
    catalogue.metric,
    catalogue.metric_source,
    windows.window_name,
    windows.period,
    windows.length_days,
    catalogue.unit,
    catalogue.row_class,
    catalogue.families as coverage_set,
    catalogue.needs_previous,
    catalogue.first_ever,
    as_of.as_of
from catalogue
inner join {{ ref('metric_windows') }} as windows
    on catalogue.windows = windows.windows
inner join as_of
    on catalogue.families = as_of.coverage_set
