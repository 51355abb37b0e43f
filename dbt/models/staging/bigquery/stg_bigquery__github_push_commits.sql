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
from {{ source('raw', 'bigquery__github_push_commits') }}
