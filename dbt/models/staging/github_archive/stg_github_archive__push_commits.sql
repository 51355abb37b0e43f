-- the commits of a push that the files have are those of the files
{% for table in ['github_archive__push_commits', 'bigquery__github_push_commits'] %}
select
    event_id as github_event_id,
    position as commit_position,
    repo_id,
    sha,
    author_name,
    -- one person whatever the case of the host; the local part is a hash
    case
        when strpos(author_email, '@') > 0
            then
                substr(author_email, 1, strpos(author_email, '@'))
                || lower(substr(author_email, strpos(author_email, '@') + 1))
        else author_email
    end as author_email,
    created_at,
    _day as archive_day
from {{ source('raw', table) }} as landed
{% if not loop.last %}
union all
{% else %}
where
    not exists (
        select 1 from {{ source('raw', 'github_archive__events') }} as files
        where files.id = landed.event_id and files._day = landed._day
    )
{% endif %}
{% endfor %}
