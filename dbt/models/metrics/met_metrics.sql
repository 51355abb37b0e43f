with

catalogue as (

    select * from {{ ref('metric_catalogue') }}

),

-- of a set of families what each source knows
known as (

    select
        families.coverage_set,
        as_of.source,
        min(as_of.as_of) as as_of,
        count(*) as family_count

    from {{ ref('metric_families') }} as families
    inner join {{ ref('int_coverage__as_of') }} as as_of
        on families.family = as_of.family
    group by
        families.coverage_set,
        as_of.source

),

sets as (

    select
        coverage_set,
        count(*) as family_count

    from {{ ref('metric_families') }}
    where family in ('transactions', 'traces')
    group by coverage_set

),

followed as (

    select source from {{ ref('int_coverage__as_of') }}
    union distinct
    select upper(network) as source from {{ ref('int_artifacts__evm_listed') }}

),

-- without traces a chain has none of the metrics that need them
chains as (

    select
        sets.coverage_set,
        followed.source,
        known.as_of,
        networks.coin

    from followed
    inner join {{ ref('networks') }} as networks
        on followed.source = upper(networks.network)
    cross join sets
    left join known
        on followed.source = known.source and sets.coverage_set = known.coverage_set
    where sets.coverage_set = 'transactions' or known.family_count = sets.family_count

),

measured as (

    select
        catalogue.metric_source as metric_kind,
        catalogue.metric,
        catalogue.metric_source,
        catalogue.metric_source as member_source,
        catalogue.unit,
        known.as_of
    from catalogue
    left join known
        on catalogue.families = known.coverage_set and catalogue.metric_source = known.source
    where catalogue.metric_source not in ('EVM', 'CHAIN')

    union all

    select
        catalogue.metric_source as metric_kind,
        catalogue.metric,
        chains.source as metric_source,
        chains.source as member_source,
        case catalogue.unit when 'native' then chains.coin else catalogue.unit end as unit,
        chains.as_of
    from catalogue
    inner join chains
        on catalogue.families = chains.coverage_set
    where catalogue.metric_source in ('EVM', 'CHAIN')

    union all

    -- all chains together reach as far as the first of them; what is paid in another coin than ETH is left out
    select
        catalogue.metric_source as metric_kind,
        catalogue.metric,
        'EVM' as metric_source,
        case catalogue.unit when 'native' then 'EVM_ETH' else 'EVM' end as member_source,
        case catalogue.unit when 'native' then 'ETH' else catalogue.unit end as unit,
        max(chains.as_of) as as_of
    from catalogue
    inner join chains
        on catalogue.families = chains.coverage_set and (catalogue.unit <> 'native' or chains.coin = 'ETH')
    where catalogue.metric_source = 'EVM' and chains.as_of is not null
    group by
        catalogue.metric_source,
        catalogue.metric,
        catalogue.unit

)

select
    {{ nid(["'metric'", 'measured.metric_source', 'measured.metric', 'windows.window_name']) }} as metric_id,
    measured.metric_kind,
    measured.metric,
    measured.metric_source,
    measured.member_source,
    windows.window_name,
    windows.period,
    windows.length_days,
    measured.unit,
    catalogue.row_class,
    catalogue.families as coverage_set,
    catalogue.needs_previous,
    catalogue.first_ever,
    measured.as_of
from measured
inner join catalogue
    on measured.metric_kind = catalogue.metric_source and measured.metric = catalogue.metric
inner join {{ ref('metric_windows') }} as windows
    on catalogue.windows = windows.windows
