select
    upper(networks.network) as chain_name,
    networks.chain_id,
    networks.display_name
from {{ ref('networks') }} as networks
inner join {{ ref('sources_v1') }} as sources
    on upper(networks.network) = sources.source and sources.family = 'transactions' and sources.enabled
group by
    upper(networks.network),
    networks.chain_id,
    networks.display_name
