-- depends_on: {{ ref('int_rebuild__others') }}
with

rates as (

    select * from {{ ref('stg_ecb_rates__rates') }}

),

dollars as (

    select
        rate_on,
        units_per_eur as usd_per_eur

    from rates
    where currency = 'USD'

),

united as (

    select
        rates.currency,
        rates.rate_on,
        rates.units_per_eur,
        dollars.usd_per_eur

    from rates
    inner join dollars
        on rates.rate_on = dollars.rate_on
    union all
    select
        'EUR' as currency,
        rate_on,
        cast(1 as decimal(20, 8)) as units_per_eur,
        usd_per_eur

    from dollars

),

followed as (

    select
        *,
        lead(rate_on) over (partition by currency order by rate_on) as next_rate_on

    from united

)

select
    currency,
    rate_on,
    least(
        {{ plus_days('rate_on', 7) }},
        coalesce({{ plus_days('next_rate_on', -1) }}, {{ plus_days('rate_on', 7) }})
    ) as valid_to,
    units_per_eur,
    usd_per_eur
from followed
