-- Listed on GitHub, but never seen in the archive or the API, or not readable: named, so that nothing is lost in a join.
with

listed as (

    select * from {{ ref('stg_oss_directory__artifacts') }}

),

seen as (

    select distinct identity
    from {{ ref('int_artifacts__matches') }}
    where kind = 'github_repo'

)

select
    {{ nid(["'artifact'", artifact_source(), "'name:' || listed.identity"]) }} as artifact_id,
    {{ artifact_source() }} as artifact_source,
    listed.kind,
    listed.identity,
    min(listed.url) as url
from listed
left join seen
    on listed.identity = seen.identity
where
    listed.kind not in ('website', 'other', 'github_owner')
    and (listed.status <> 'ok' or (listed.kind = 'github_repo' and seen.identity is null))
group by
    1,
    2,
    listed.kind,
    listed.identity
