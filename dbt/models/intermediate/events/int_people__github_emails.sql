-- depends_on: {{ ref('int_rebuild__github') }}
select
    author_email,
    user_id
from {{ ref('int_people__github_emails_now') }}
