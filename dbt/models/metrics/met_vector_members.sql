-- What the impact vectors ask of every project that has artifacts of the source.
with

metrics as (

    select * from {{ ref('met_metrics') }}

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

)

select
    asked.*,
    members.project_id,
    members.born_on
from asked
inner join members
    on asked.member_source = members.member_source
