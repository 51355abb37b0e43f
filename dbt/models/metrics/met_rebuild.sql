-- Entities to compute anew whole: their members changed since the last build, or a member's past did.
{% if not is_partial() %}
select
    cast(null as varchar) as entity_id,
    cast(null as varchar) as run_id
where false
{% else %}
with

members as (

    select
        entity_id,
        artifact_id,
        born_on

    from {{ ref('int_entities__github') }}

),

built as (

    select
        entity_id,
        artifact_id,
        born_on

    from {{ last_build('met_entities') }}

),

joined as (

    select * from members
    except
    select * from built

),

parted as (

    select * from built
    except
    select * from members

)

select
    entity_id,
    '{{ var("run_id") }}' as run_id
from joined
union distinct
select
    entity_id,
    '{{ var("run_id") }}' as run_id
from parted
union distinct
select
    members.entity_id,
    '{{ var("run_id") }}' as run_id
from members
inner join {{ ref('int_rebuild__artifacts') }} as artifacts
    on members.artifact_id = artifacts.artifact_id
union distinct
select
    entity_id,
    run_id
from {{ this }}
where run_id = '{{ var("run_id") }}'
{% endif %}
