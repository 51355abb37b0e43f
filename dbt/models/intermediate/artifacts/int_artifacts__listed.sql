select
    project_name,
    artifact_id,
    coalesce(max(case when match_rule = 'explicit' then match_rule end), min(match_rule)) as match_rule,
    min(listed_since) as listed_since
from {{ ref('int_artifacts__matches') }}
where not is_overruled
group by
    project_name,
    artifact_id
