-- depends_on: {{ ref('int_rebuild__others') }}
with

transactions as (

    select * from {{ ref('stg_open_collective__transactions') }}

),

accounts as (

    select * from {{ ref('int_artifacts__open_collective') }}

),

kinds as (

    select
        *,
        coalesce(
            transaction_kind,
            case when order_id is not null then 'CONTRIBUTION' when expense_id is not null then 'EXPENSE' end
        ) as meant_kind

    from transactions

),

typed as (

    select
        *,
        case
            when meant_kind in ('CONTRIBUTION', 'ADDED_FUNDS') and transaction_type = 'CREDIT' and not is_refund
                then 'CREDIT'
            when meant_kind in ('CONTRIBUTION', 'ADDED_FUNDS') and transaction_type = 'DEBIT' and is_refund then 'CREDIT'
            when meant_kind in ('CONTRIBUTION', 'EXPENSE') and transaction_type = 'DEBIT' and not is_refund then 'DEBIT'
            when meant_kind = 'EXPENSE' and transaction_type = 'CREDIT' and is_refund then 'DEBIT'
            when
                meant_kind in ('HOST_FEE', 'PAYMENT_PROCESSOR_FEE', 'PLATFORM_FEE', 'TAX')
                and account_id is distinct from host_id
                then 'FEE'
        end as event_type,
        -- given to others: on old rows the amount of a DEBIT leaves its fees out
        meant_kind = 'CONTRIBUTION' and transaction_type = 'DEBIT' and not is_refund as is_given

    from kinds

),

movements as (

    select
        transaction_id,
        event_type,
        transaction_id as last_key,
        -- what was received or spent counts up, what came back counts down
        case when (event_type = 'CREDIT') = (transaction_type = 'CREDIT') then 1 else -1 end as direction,
        case when is_given then net_amount_cents else amount_cents end as native_cents,
        amount_currency as native_currency,
        case when is_given then host_net_amount_cents else host_amount_cents end as host_cents,
        host_amount_currency as host_currency

    from typed
    where event_type is not null

),

{% set fees = [
    ('hostFee', 'host_fee'), ('platformFee', 'platform_fee'),
    ('paymentProcessorFee', 'payment_processor_fee'), ('taxAmount', 'tax_amount'),
] %}
-- Old rows carry their fees themselves.
carried_fees as (

    {% for name, column in fees %}
        select
            transaction_id,
            'FEE' as event_type,
            '{{ name }}' as last_key,
            1 as direction,
            {{ column }}_cents as native_cents,
            {{ column }}_currency as native_currency,
            case
                when {{ column }}_currency = amount_currency
                    then cast(round({{ column }}_cents * host_currency_fx_rate) as bigint)
            end as host_cents,
            host_amount_currency as host_currency
        from typed
        where event_type = 'CREDIT' and transaction_type = 'CREDIT' and {{ column }}_cents <> 0
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

united as (

    select * from movements
    union all
    select * from carried_fees

),

-- USD: the ledger's own, else the host's, else by the rate of the day. Null, that is unknown, where there is none.
priced as (

    select
        united.*,
        typed.created_at,
        {{ utc_day('typed.created_at') }} as event_day,
        typed.account_id,
        typed.opposite_account_id,
        typed.opposite_account_type,
        typed.ledger_day,
        united.direction * coalesce(
            case when united.native_currency = 'USD' then cast(abs(united.native_cents) as decimal(19, 0)) end,
            case when united.host_currency = 'USD' then cast(abs(united.host_cents) as decimal(19, 0)) end,
            {{ converted_cents('abs(united.native_cents)', 'rates.units_per_eur', 'rates.usd_per_eur') }}
        ) as usd_cents

    from united
    inner join typed
        on united.transaction_id = typed.transaction_id
    left join {{ ref('int_events__usd_rates') }} as rates
        on
            united.native_currency = rates.currency
            and {{ utc_day('typed.created_at') }} between rates.rate_on and rates.valid_to

)

select
    case
        when priced.last_key = priced.transaction_id
            then {{ nid(["'event'", "'OPEN_COLLECTIVE'", 'priced.event_type', 'priced.transaction_id']) }}
        else
            {{ nid(
                ["'event'", "'OPEN_COLLECTIVE'", 'priced.event_type', 'priced.transaction_id', 'priced.last_key']
            ) }}
    end as event_id,
    priced.created_at as event_time,
    priced.event_day,
    priced.event_type,
    'OPEN_COLLECTIVE' as event_source,
    'open_collective' as provider,
    types.family,
    accounts.artifact_id as to_artifact_id,
    opposites.artifact_id as actor_id,
    cast(null as varchar) as subject_id,
    priced.opposite_account_type = 'BOT' as actor_is_bot,
    cast(null as boolean) as subject_is_bot,
    cast(cast(priced.usd_cents as decimal(20, 0)) * cast(0.01 as decimal(3, 2)) as decimal(38, 18)) as amount,
    priced.transaction_id as object_id,
    priced.last_key as event_source_id,
    false as is_own_item,
    priced.ledger_day as archive_day
from priced
inner join accounts
    on priced.account_id = accounts.account_id
left join accounts as opposites
    on priced.opposite_account_id = opposites.account_id
inner join {{ ref('event_types') }} as types
    on priced.event_type = types.event_type and types.event_source = 'OPEN_COLLECTIVE'
