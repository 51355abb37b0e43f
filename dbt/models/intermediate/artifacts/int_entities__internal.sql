-- Accounts between which money moves inside a project: in a collection only where each project that holds the receiver
-- holds the giver too.
with

accounts as (

    select distinct
        links.project_name,
        links.artifact_id

    from {{ ref('int_artifacts__listed') }} as links
    inner join {{ ref('int_artifacts__open_collective') }} as accounts
        on links.artifact_id = accounts.artifact_id
    inner join {{ ref('stg_oss_directory__projects') }} as projects
        on links.project_name = projects.project_name

),

pairs as (

    select
        accounts.project_name,
        accounts.artifact_id,
        others.artifact_id as actor_id

    from accounts
    inner join accounts as others
        on accounts.project_name = others.project_name

),

memberships as (

    select distinct
        collection_name,
        project_name

    from {{ ref('stg_oss_directory__collection_members') }}

),

holders as (

    select
        memberships.collection_name,
        accounts.artifact_id,
        count(*) as project_count

    from memberships
    inner join accounts
        on memberships.project_name = accounts.project_name
    group by
        memberships.collection_name,
        accounts.artifact_id

),

shared as (

    select
        memberships.collection_name,
        pairs.artifact_id,
        pairs.actor_id,
        count(*) as project_count

    from memberships
    inner join pairs
        on memberships.project_name = pairs.project_name
    group by
        memberships.collection_name,
        pairs.artifact_id,
        pairs.actor_id

)

select
    {{ nid(["'project'", "'OSS_DIRECTORY'", "'oso'", 'project_name']) }} as entity_id,
    artifact_id,
    actor_id
from pairs
union all
select
    {{ nid(["'collection'", "'OSS_DIRECTORY'", "'oso'", 'shared.collection_name']) }} as entity_id,
    shared.artifact_id,
    shared.actor_id
from shared
inner join holders
    on
        shared.collection_name = holders.collection_name
        and shared.artifact_id = holders.artifact_id
        and shared.project_count = holders.project_count
