{#- metric_sql(metric, metric_source): a SQL expression of these columns, varchar: the query that gives a metric's amount
    in one window of one entity from the published tables, null for a metric without one. It is written apart from the
    models, which compute all windows at once, so that a test can compare the two. Parameters: see the docs of
    metrics_v1.sql. -#}
{% macro metric_sql(metric, metric_source) %}
{%- set event_counts = {
    'commits': ['COMMIT_CODE'],
    'opened_pull_requests': ['PULL_REQUEST_OPENED'],
    'merged_pull_requests': ['PULL_REQUEST_MERGED'],
    'closed_pull_requests': ['PULL_REQUEST_CLOSED'],
    'opened_issues': ['ISSUE_OPENED'],
    'closed_issues': ['ISSUE_CLOSED'],
    'comments': ['ISSUE_COMMENT', 'PULL_REQUEST_REVIEW_COMMENT'],
    'prs_comments': ['PULL_REQUEST_REVIEW_COMMENT'],
    'pull_request_reviews': ['PULL_REQUEST_REVIEW'],
    'releases': ['RELEASE_PUBLISHED'],
    'stars': ['STARRED'],
    'forks': ['FORKED'],
} -%}
{%- set full_time, part_time = 'days_now * 30 >= 10 * :days', 'days_now > 0 and days_now * 30 < 10 * :days' -%}
{%- set people = {
    'active_developers': 'days_now > 0',
    'full_time_developers': full_time,
    'part_time_developers': part_time,
    'contributors': 'days_now > 0',
    'full_time_contributors': full_time,
    'part_time_contributors': part_time,
    'new_contributors': 'first_seen >= :first_day',
    'returning_contributors': 'days_now > 0 and first_seen < :first_day',
    'resurrected_contributors': 'days_now > 0 and days_before = 0 and first_seen < :first_day',
    'churned_contributors': 'days_now = 0 and days_before > 0',
} -%}
{%- set changes = {
    'change_in_active_contributors': ['days_now > 0', 'days_before > 0'],
    'change_in_new_contributors':
        ['first_seen >= :first_day', 'first_seen >= :previous_first_day and first_seen < :first_day'],
    'change_in_full_time_contributors': [full_time, 'days_before * 30 >= 10 * :previous_days'],
    'change_in_part_time_contributors': [part_time, 'days_before > 0 and days_before * 30 < 10 * :previous_days'],
} -%}
{%- set days = {
    'active_days': 'count(distinct case when day >= :first_day then day end)',
    'first_activity_date': "date_diff('day', date '1970-01-01', min(day))",
    'last_activity_date': "date_diff('day', date '1970-01-01', max(day))",
} -%}
{%- set unfiltered = ['releases', 'stars', 'forks'] -%}
{%- set events %}with copies as (
    select *,
        cast(time at time zone 'UTC' as date) as day,
        row_number() over (
            partition by case when event_type = 'COMMIT_CODE' then event_source_id else event_id end
            order by time, event_id
        ) as copy_no
    from timeseries_events_by_artifact_v1
    where to_artifact_id in (:artifacts)
),
events as (
    select * from copies where copy_no = 1 and day <= :last_day
)
{%- endset -%}
{%- set acts %}{{ events }},
acts as (
    select from_artifact_id as actor, day from events
    where event_type in ($types)
        and from_artifact_id is not null and not coalesce(actor_is_bot, false)
)
{%- endset -%}
{%- set actors %}{{ acts }},
people as (
    select actor,
        min(day) as first_seen,
        count(distinct case when day >= :first_day then day end) as days_now,
        count(distinct case when day >= :previous_first_day and day < :first_day then day end) as days_before
    from acts
    group by actor
)
{%- endset -%}
{%- set contributions = "'COMMIT_CODE', 'ISSUE_OPENED', 'PULL_REQUEST_OPENED', 'PULL_REQUEST_MERGED'" -%}
{%- set sqls = {} -%}
{%- for name, types in event_counts.items() -%}
    {%- set human = '' if name in unfiltered else ' and not coalesce(subject_is_bot, false)' -%}
    {%- do sqls.update({name: events ~ "\nselect coalesce(sum(amount), 0) from events\nwhere event_type in ('" ~ types | join("', '")
        ~ "') and day >= :first_day" ~ human}) -%}
{%- endfor -%}
{%- do sqls.update({'repositories': events ~ "\nselect count(distinct to_artifact_id) from events\n"
    ~ "where day >= :first_day and (event_type = 'RELEASE_PUBLISHED'\n"
    ~ "    or (event_type not in ('STARRED', 'FORKED') and not coalesce(subject_is_bot, false)))"}) -%}
{%- for name, condition in people.items() -%}
    {%- set types = "'COMMIT_CODE'" if name.endswith('developers') else contributions -%}
    {%- do sqls.update({name: actors.replace('$types', types) ~ "\nselect count(*) from people\nwhere " ~ condition}) -%}
{%- endfor -%}
{%- do sqls.update({'contributor_retention_rate': actors.replace('$types', contributions)
    ~ "\nselect cast(count(*) filter (where days_now > 0) as double) / nullif(count(*), 0) from people\n"
    ~ "where days_before > 0"}) -%}
{%- for name, (now, before) in changes.items() -%}
    {%- do sqls.update({name: actors.replace('$types', contributions)
        ~ "\n-- a change needs a contribution before its window\n"
        ~ "select case when min(first_seen) < :first_day\n    then count(*) filter (where " ~ now
        ~ ")\n        - count(*) filter (where " ~ before ~ ")\n    else 0 end\nfrom people"}) -%}
{%- endfor -%}
{%- for name, value in days.items() -%}
    {%- do sqls.update({name: acts.replace('$types', contributions) ~ "\nselect " ~ value ~ " from acts"}) -%}
{%- endfor -%}
{%- set reviews -%}
-- whose pull request was reviewed is not published: from the pipeline's own events
select count(distinct actor_id) from intermediate.int_events__github
where to_artifact_id in (:artifacts) and event_day between :first_day and :last_day
    and event_type in ('PULL_REQUEST_REVIEW', 'PULL_REQUEST_REVIEW_COMMENT')
    and not coalesce(actor_is_bot, false) and not coalesce(is_own_item, false)
{%- endset -%}
{%- do sqls.update({'reviewers': reviews}) -%}
{%- set work = "event_type not in ('STARRED', 'FORKED', 'RELEASE_PUBLISHED')" -%}
{%- do sqls.update({
    'bot_activity': events ~ "\nselect count(*) from events\nwhere " ~ work ~ " and actor_is_bot and day >= :first_day",
    'bot_activity_share': events
        ~ "\nselect cast(count(*) filter (where actor_is_bot) as double) / nullif(count(*), 0) from events\nwhere "
        ~ work ~ " and (actor_is_bot or from_artifact_id is not null) and day >= :first_day",
    'pull_request_acceptance_ratio': events
        ~ "\nselect cast(count(*) filter (where event_type = 'PULL_REQUEST_MERGED') as double) / nullif(count(*), 0)\n"
        ~ "from events\nwhere event_type in ('PULL_REQUEST_MERGED', 'PULL_REQUEST_CLOSED') and day >= :first_day\n"
        ~ "    and not coalesce(subject_is_bot, false)",
    'project_velocity': actors.replace('$types', contributions)
        ~ "\nselect (select count(*) from events\n"
        ~ "    where event_type in ('ISSUE_CLOSED', 'COMMIT_CODE', 'PULL_REQUEST_REVIEW') and day >= :first_day\n"
        ~ "        and not coalesce(subject_is_bot, false))\n    + 2 * count(*) from people\nwhere days_now > 0",
    'contributor_absence_factor': events
        ~ ",\ncommits as (\n    select from_artifact_id as actor, count(*) as n from events\n"
        ~ "    where event_type = 'COMMIT_CODE' and day >= :first_day\n"
        ~ "        and from_artifact_id is not null and not coalesce(actor_is_bot, false)\n"
        ~ "    group by from_artifact_id\n),\n"
        ~ "ranked as (\n    select n, sum(n) over () as made,\n"
        ~ "        sum(n) over (order by n desc, actor rows unbounded preceding) as made_so_far\n    from commits\n)\n"
        ~ "select count(*) from ranked\nwhere 2 * (made_so_far - n) < made",
}) -%}
{%- set burstiness %}{{ events }},
counts as (
    select day, count(*) as n from events
    where $work and not coalesce(subject_is_bot, false)
    group by day
),
-- days of which anything is known; the calendar is the pipeline's own
known as (
    select d.day, coalesce(counts.n, 0) as n
    from metrics.met_days as d
    left join counts on d.day = counts.day
    where d.day between :first_day and :last_day
        and exists (select 1 from artifacts_v1 where artifact_id in (:artifacts) and born_on <= d.day)
        and exists (
            select 1 from coverage_v1
            where source = 'GITHUB' and status <> 'none' and d.day between from_day and to_day
                and family in ('commits', 'pulls_opened', 'pulls_closed', 'reviews', 'issues', 'comments')
                and (artifact_id is null or artifact_id in (:artifacts))
        )
)
select case when count(*) > 1 and sum(n) > 0
    then cast(count(*) * sum(n * n) - sum(n) * sum(n) as double) / (count(*) * sum(n)) end
from known
{%- endset -%}
{%- do sqls.update({'burstiness': burstiness.replace('$work', work)}) -%}
{%- set cases -%}
-- how long it took is not published by item: from the pipeline's own measurements
with cases as (
    select amount, row_number() over (order by amount) as place, count(*) over () as n
    from intermediate.int_activity__cases
    where measure = '$measure' and artifact_id in (:artifacts) and event_day between :first_day and :last_day
)
select cast(sum(amount) as double) / nullif(count(*), 0) from cases
{%- endset -%}
{%- set middle = "\nwhere 2 * place between n and n + 2" -%}
{%- do sqls.update({
    'time_to_merge_avg': cases.replace('$measure', 'time_to_merge'),
    'time_to_merge_median': cases.replace('$measure', 'time_to_merge') ~ middle,
    'time_to_first_response_avg': cases.replace('$measure', 'time_to_first_response'),
    'time_to_first_response_median': cases.replace('$measure', 'time_to_first_response') ~ middle,
    'time_to_close_issues_median': cases.replace('$measure', 'time_to_close_issues') ~ middle,
    'pull_request_review_rate': cases.replace('$measure', 'pull_request_review_rate'),
    'self_merge_rates': cases.replace('$measure', 'self_merge_rates'),
}) -%}
{%- set in_days = cases.replace('nullif(count(*), 0)', 'nullif(count(*), 0) / 86400') -%}
{%- do sqls.update({'days_between_releases_median': in_days.replace('$measure', 'time_between_releases') ~ middle}) -%}
{%- set ages -%}
-- who opened an issue and when is not published: from the pipeline's own events
with turns as (
    select i.opened_at, i.event_time, i.event_type,
        row_number() over (partition by e.artifact_id, e.item_number order by e.event_time desc,
            case e.event_type when 'ISSUE_OPENED' then 0 when 'ISSUE_CLOSED' then 1 else 2 end desc, e.event_id desc
        ) as place
    from intermediate.int_activity__item_events as e
    left join intermediate.int_activity__human_items as i on e.event_id = i.event_id
    where e.artifact_id in (:artifacts) and e.event_day <= :last_day
        and e.event_type in ('ISSUE_OPENED', 'ISSUE_CLOSED', 'ISSUE_REOPENED')
),
ages as (
    select seconds, row_number() over (order by seconds) as place, count(*) over () as n
    from (
        select 86400 * (date_diff('day', date '1970-01-01', :last_day) + 1)
            - date_diff('second', cast('1970-01-01 00:00:00 UTC' as timestamp with time zone), opened_at) as seconds
        from turns
        where place = 1 and event_type <> 'ISSUE_CLOSED' and opened_at is not null
    ) as open_issues
)
select $statistic from ages
{%- endset -%}
{%- for name, statistic in {
    'avg': 'cast(sum(seconds) as double) / nullif(count(*), 0)',
    'median': 'cast(sum(case when 2 * place between n and n + 2 then seconds end) as double)\n'
        ~ '    / nullif(count(case when 2 * place between n and n + 2 then 1 end), 0)',
    'min': 'min(seconds)',
    'max': 'max(seconds)',
}.items() -%}
    {%- do sqls.update({'issue_age_' ~ name: ages.replace('$statistic', statistic)}) -%}
{%- endfor -%}
{#- the sources besides GitHub; $source is the metric's own -#}
{%- set others %}with events as (
    select *, cast(time at time zone 'UTC' as date) as day
    from timeseries_events_by_artifact_v1
    where to_artifact_id in (:artifacts) and $source and cast(time at time zone 'UTC' as date) <= :last_day
)
{%- endset -%}
{%- set sums = {
    'downloads': "event_type = 'PACKAGE_DOWNLOADED'",
    'package_releases': "event_type = 'PACKAGE_VERSION_PUBLISHED' and strpos(event_source_id, '-') = 0",
    'transactions': "event_type = 'CONTRACT_INVOCATION'",
    'contract_invocations': "event_type in ('CONTRACT_INVOCATION', 'CONTRACT_INTERNAL_INVOCATION')",
    'contracts_deployed': "event_type = 'CONTRACT_DEPLOYED'",
    'gas_fees': "event_type = 'TRANSACTION_FEE'",
    'gas_fees_amortized': "event_type = 'FEE_SHARE'",
} -%}
{%- for name, condition in sums.items() -%}
    {%- do sqls.update({name: others ~ "\nselect coalesce(sum(amount), 0) from events\nwhere " ~ condition
        ~ " and day >= :first_day"}) -%}
{%- endfor -%}
{%- do sqls.update({'failed_transaction_share': others
    ~ "\nselect cast(count(*) filter (where event_type = 'TRANSACTION_FAILED') as double) / nullif(count(*), 0)\n"
    ~ "from events\nwhere event_type in ('TRANSACTION_FAILED', 'CONTRACT_INVOCATION') and day >= :first_day"}) -%}
{%- for name, type in {'packages': 'PACKAGE_VERSION_PUBLISHED', 'active_contracts': 'CONTRACT_INVOCATION'}.items() -%}
    {%- do sqls.update({name: others ~ "\nselect count(distinct to_artifact_id) from events\nwhere event_type = '" ~ type
        ~ "' and day >= :first_day"}) -%}
{%- endfor -%}
{%- set addresses -%}
-- an address has an id of its own on each chain: from the pipeline's own events
with people as (
    select actor_address,
        min(event_day) as first_seen,
        max(event_day) as last_seen
    from intermediate.int_events
    where to_artifact_id in (:artifacts) and $source
        and event_type = 'CONTRACT_INVOCATION' and event_day <= :last_day
    group by actor_address
)
select count(*) from people
where last_seen >= :first_day
{%- endset -%}
{%- do sqls.update({
    'active_addresses': addresses,
    'new_addresses': addresses ~ ' and first_seen >= :first_day',
    'returning_addresses': addresses ~ ' and first_seen < :first_day',
}) -%}
{%- set ledger %}{{ others }},
-- what moves between accounts of one project does not count for it
ledger as (
    select * from events
    where event_type = 'FEE' or from_artifact_id is null
        or not exists (
            select 1 from artifacts_by_project_v1 as held
            where held.project_id in (:projects) and held.artifact_id = events.to_artifact_id
        )
        or exists (
            select 1 from artifacts_by_project_v1 as held
            where held.project_id in (:projects) and held.artifact_id = events.to_artifact_id
                and not exists (
                    select 1 from artifacts_by_project_v1 as other
                    where other.project_id = held.project_id and other.artifact_id = events.from_artifact_id
                )
        )
)
{%- endset -%}
{%- for name, value in {
    'funding_received': "case event_type when 'CREDIT' then amount else 0 end",
    'funding_spent': "case event_type when 'DEBIT' then amount else 0 end",
    'funding_fees': "case event_type when 'FEE' then amount else 0 end",
    'funding_net': "case event_type when 'CREDIT' then amount else -amount end",
}.items() -%}
    {%- do sqls.update({name: ledger ~ "\nselect coalesce(sum(" ~ value ~ "), 0) from ledger\nwhere day >= :first_day"}) -%}
{%- endfor -%}
{%- set givers %}{{ ledger }},
givers as (
    select from_artifact_id,
        sum(case when day >= :first_day then cast(amount as decimal(38, 2)) else 0 end) as given,
        min(case when amount > 0 then day end) as first_given
    from ledger
    where event_type = 'CREDIT' and from_artifact_id is not null and not coalesce(actor_is_bot, false)
    group by from_artifact_id
)
select count(*) from givers
where given > 0
{%- endset -%}
{%- do sqls.update({'backers': givers, 'new_backers': givers ~ ' and first_given >= :first_day'}) -%}
{%- set fees -%}
-- what a transaction cost whose calls from inside count is not published: from the pipeline's own
select cast(coalesce(sum(amount), 0) as double)
from (
    select distinct event_source, transaction_hash, amount
    from intermediate.int_activity__transaction_fees
    where artifact_id in (:artifacts) and $source and event_day between :first_day and :last_day
) as fees
{%- endset -%}
{%- do sqls.update({'gas_fees_internal': fees}) -%}
{%- set counts -%}
-- a repository's counts by day are not published: from the pipeline's own snapshots
with counts as (
    select s.$count as amount, row_number() over (partition by s.repo_id order by s.snapshot_day desc) as place
    from staging.stg_github_repositories__repositories as s
    inner join intermediate.int_artifacts__github_repositories as r on s.repo_id = r.repo_id
    where r.artifact_id in (:artifacts) and s.$count is not null
        and date_diff('day', s.snapshot_day, :last_day) between 0 and 6
)
select sum(amount) from counts
where place = 1
{%- endset -%}
{%- for name in ['star', 'fork', 'watcher', 'open_issue'] -%}
    {%- do sqls.update({name ~ 's_total': counts.replace('$count', name ~ '_count')}) -%}
{%- endfor -%}
{%- set dependents -%}
-- who depends on a package is not published: from the pipeline's own snapshots
with own as (
    select identity from intermediate.int_artifacts__matches
    where kind = 'npm' and artifact_id in (:artifacts)
)
select count(distinct dependent_name) from staging.stg_bigquery__dependents
where package_source = 'NPM' and package_name in (select identity from own)
    and dependent_name not in (select identity from own)
    and snapshot_day = (
        select max(snapshot_day) from staging.stg_bigquery__dependent_days
        where package_source = 'NPM' and package_name <> '' and snapshot_day <= :last_day
    )
{%- endset -%}
{%- do sqls.update({'dependents': dependents}) -%}
{%- set own_source -%}
case
    when {{ metric_source }} <> 'EVM' then 'event_source = ''' || {{ metric_source }} || ''''
    when {{ metric }} = 'gas_fees'
        then 'event_source in (select metric_source from metrics_v1 where metric = ''gas_fees'' and unit = ''ETH'')'
    else 'event_source not in (''GITHUB'', ''NPM'', ''OPEN_COLLECTIVE'')'
end
{%- endset -%}
replace(case {{ metric }}
    {%- for name, text in sqls.items() %}
    when '{{ name }}' then '{{ text.replace("'", "''") }}'
    {%- endfor %}
end, '$source', {{ own_source }})
{%- endmacro %}
