-- What the impact vectors compare: of each project the newest whole window, and the one before.
with

metrics as (

    select * from {{ ref('met_metrics') }}

),

periods as (

    select * from {{ ref('met_periods') }}

),

asked as (

    select distinct
        vectors.metric_source,
        vectors.metric,
        vectors.window_name,
        coalesce(metrics.member_source, vectors.metric_source) as member_source,
        metrics.metric_id,
        metrics.coverage_set,
        metrics.needs_previous,
        metrics.first_ever,
        metrics.as_of

    from {{ ref('met_vectors') }} as vectors
    left join metrics
        on
            vectors.metric_source = metrics.metric_source
            and vectors.metric = metrics.metric
            and vectors.window_name = metrics.window_name

),

projects as (

    select * from {{ ref('met_entities') }}
    where entity_level = 'project'

),

-- also of all chains together, where none of a project's has landed: unknown, not none
sided as (

    select
        member_source,
        entity_id,
        born_on

    from projects
    union all
    select
        unions.member_source,
        projects.entity_id,
        projects.born_on

    from projects
    inner join {{ ref('networks') }} as networks
        on projects.member_source = upper(networks.network)
    cross join (values ('EVM'), ('EVM_ETH')) as unions (member_source)
    where unions.member_source = 'EVM' or networks.coin = 'ETH'

),

measured as (

    select
        member_source,
        entity_id as project_id,
        min(born_on) as born_on

    from sided
    group by
        member_source,
        entity_id

),

-- whose repositories nobody has seen yet: unknown, not none
unseen as (

    select distinct
        'GITHUB' as member_source,
        {{ nid(["'project'", "'OSS_DIRECTORY'", "'oso'", 'listed.project_name']) }} as project_id,
        cast(null as date) as born_on

    from {{ ref('stg_oss_directory__artifacts') }} as listed
    left join {{ ref('int_artifacts__matches') }} as matches
        on listed.project_name = matches.project_name and listed.kind = matches.kind
    where
        listed.kind in ('github_repo', 'github_owner')
        and listed.status = 'ok'
        and matches.project_name is null

),

members as (

    select * from measured
    union all
    select unseen.*
    from unseen
    left join measured
        on unseen.member_source = measured.member_source and unseen.project_id = measured.project_id
    where measured.project_id is null

),

wanted as (

    select
        asked.*,
        members.project_id,
        members.born_on

    from asked
    inner join members
        on asked.member_source = members.member_source

),

-- a day of the newest calendar window that is over on the data-through day
whole as (

    select
        asked.metric_id,
        case
            when periods.next_date = {{ plus_days('asked.as_of', 1) }} then asked.as_of
            else {{ plus_days('periods.sample_date', -1) }}
        end as day

    from asked
    inner join periods
        on asked.window_name = periods.window_name and asked.as_of = periods.day

),

windows as (

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
