-- A name that several repositories had means the one that had it last.
with

names as (

    select
        repo_name,
        max_by(repo_id, last_at) as repo_id

    from {{ ref('int_artifacts__github_names') }}
    group by repo_name

)

select
    packages.artifact_id as package_artifact_id,
    packages.artifact_source as package_artifact_source,
    packages.artifact_namespace as package_artifact_namespace,
    packages.artifact_name as package_artifact_name,
    owners.artifact_id as package_owner_artifact_id,
    owners.artifact_source as package_owner_artifact_source,
    owners.artifact_namespace as package_owner_artifact_namespace,
    owners.artifact_name as package_owner_artifact_name
from {{ ref('stg_npm_manifests__packages') }} as manifests
inner join {{ ref('artifacts_v1') }} as packages
    on packages.artifact_source = 'NPM' and manifests.package_name = packages.artifact_name
inner join names
    on manifests.repository = 'github.com/' || names.repo_name
inner join {{ ref('artifacts_v1') }} as owners
    on owners.artifact_source_id = 'repo:' || cast(names.repo_id as varchar)
