with

rates as (

    select * from {{ source('raw', 'ecb_rates__rates') }}

),

-- coverage lands last: a day without it is a landing that was cut
newest as (

    select max(_day) as snapshot_day from {{ source('raw', 'ecb_rates__coverage') }}

)

select
    rates.currency,
    rates.rate_on,
    rates.rate as units_per_eur
from rates
inner join newest
    on rates._day = newest.snapshot_day
