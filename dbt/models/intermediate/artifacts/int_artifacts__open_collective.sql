-- An account keeps its id when its slug changes: the slug read last, on either side of a row, names all of its history.
with

accounts as (

    select * from {{ ref('stg_open_collective__accounts') }}

),

transactions as (

    select * from {{ ref('stg_open_collective__transactions') }}

),

seen as (

    select account_id, account_slug, listed_slug, loaded_at from accounts
    union all
    select account_id, account_slug, listed_slug, loaded_at from transactions
    union all
    select opposite_account_id, opposite_account_slug, cast(null as varchar) as listed_slug, loaded_at
    from transactions
    where opposite_account_id is not null

),

ranked as (

    select
        *,
        row_number() over (partition by account_id order by loaded_at desc, account_slug) as name_rank,
        row_number() over (
            partition by account_id
            order by case when listed_slug is null then 1 else 0 end, loaded_at desc, listed_slug
        ) as ledger_rank

    from seen

),

-- a child that could not be read as an account is known by its ledger alone
ledgers as (

    select
        ranked.account_id,
        coalesce(accounts.listed_slug, ranked.listed_slug) as listed_slug,
        accounts.parent_id,
        case
            when accounts.account_id is null then lower(ranked.account_slug) <> ranked.listed_slug
            else accounts.parent_id is not null and lower(accounts.account_slug) <> accounts.listed_slug
        end as is_child,
        accounts.created_at

    from ranked
    left join accounts
        on ranked.account_id = accounts.account_id
    where ranked.ledger_rank = 1

)

select
    names.account_id,
    names.account_slug,
    {{ nid(["'artifact'", "'OPEN_COLLECTIVE'", 'names.account_slug']) }} as artifact_id,
    ledgers.listed_slug,
    ledgers.parent_id,
    coalesce(ledgers.is_child, false) as is_child,
    {{ utc_day('ledgers.created_at') }} as born_on
from ranked as names
inner join ledgers
    on names.account_id = ledgers.account_id
where names.name_rank = 1
