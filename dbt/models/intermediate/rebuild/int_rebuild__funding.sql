-- A rate that came late, or an account that has another slug now, changes events of days that did not land again.
{% if not is_partial() %}
select
    cast(null as date) as from_day,
    cast(null as varchar) as run_id
where false
{% else %}
with

rates as (

    select
        currency,
        rate_on,
        units_per_eur

    from {{ ref('stg_ecb_rates__rates') }}

),

known as (

    select
        rates.currency,
        rates.rate_on,
        rates.units_per_eur

    from rates
    inner join rates as dollars
        on rates.rate_on = dollars.rate_on and dollars.currency = 'USD'

),

built_rates as (

    select
        currency,
        rate_on,
        units_per_eur

    from {{ last_build('int_events__usd_rates') }}
    where currency <> 'EUR'

),

new_rates as (

    select * from known
    except
    select * from built_rates

),

lost_rates as (

    select * from built_rates
    except
    select * from known

),

found as (

    select rate_on as from_day from new_rates
    union all
    select rate_on as from_day from lost_rates
    union all
    select built.event_day as from_day
    from {{ last_build('int_events__open_collective') }} as built
    inner join {{ ref('stg_open_collective__transactions') }} as transactions
        on built.object_id = transactions.transaction_id
    inner join {{ ref('int_artifacts__open_collective') }} as accounts
        on transactions.account_id = accounts.account_id
    left join {{ ref('int_artifacts__open_collective') }} as opposites
        on transactions.opposite_account_id = opposites.account_id
    where
        built.to_artifact_id <> accounts.artifact_id
        or built.actor_id is distinct from opposites.artifact_id
    union all
    -- a layer that is tried again finds what its first try replaced
    select from_day
    from {{ this }}
    where run_id = '{{ var("run_id") }}'

)

select
    min(from_day) as from_day,
    '{{ var("run_id") }}' as run_id
from found
having min(from_day) is not null
{% endif %}
