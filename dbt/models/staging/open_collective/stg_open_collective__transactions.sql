with

versions as (

    select
        *,
        -- a row whose date was edited can sit in two days until both are read again
        row_number() over (partition by id order by _loaded_at desc, _day desc) as version

    from {{ source('raw', 'open_collective__transactions') }}

)

select

    -- keys
    id as transaction_id,
    "group" as group_id,
    account_id,
    opposite_account_id,
    host_id,
    order_id,
    expense_id,
    refund_transaction_id,

    -- names when it was read
    account_slug,
    account_type,
    opposite_account_slug,
    opposite_account_type,
    listed_slug,

    -- facts
    type as transaction_type,
    kind as transaction_kind,
    coalesce(is_refund, false) as is_refund,
    created_at,

    -- money, in hundredths of each currency
    amount_cents,
    amount_currency,
    host_amount_cents,
    host_amount_currency,
    net_amount_cents,
    net_amount_currency,
    host_net_amount_cents,
    host_net_amount_currency,
    host_fee_cents,
    host_fee_currency,
    platform_fee_cents,
    platform_fee_currency,
    payment_processor_fee_cents,
    payment_processor_fee_currency,
    tax_amount_cents,
    tax_amount_currency,
    host_currency_fx_rate,

    -- lineage
    _loaded_at as loaded_at,
    _day as ledger_day

from versions
where version = 1
