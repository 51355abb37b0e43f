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
        member_source,
        entity_id,
        artifact_id,
        born_on,
        died_on

    from {{ ref('int_entities__measured') }}

),

built as (

    select
        member_source,
        entity_id,
        artifact_id,
        born_on,
        died_on

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

),

-- what moves inside a project is not counted
internal as (

    select * from {{ ref('int_entities__internal') }}

),

built_internal as (

    select * from {{ last_build('met_internal') }}

),

enclosed as (

    select * from internal
    except
    select * from built_internal

),

released as (

    select * from built_internal
    except
    select * from internal

)

select
    entity_id,
    '{{ told("run_id") }}' as run_id
from joined
union distinct
select
    entity_id,
    '{{ told("run_id") }}' as run_id
from parted
union distinct
select
    entity_id,
    '{{ told("run_id") }}' as run_id
from enclosed
union distinct
select
    entity_id,
    '{{ told("run_id") }}' as run_id
from released
union distinct
select
    members.entity_id,
    '{{ told("run_id") }}' as run_id
from members
inner join {{ ref('int_rebuild__artifacts') }} as artifacts
    on members.artifact_id = artifacts.artifact_id
union distinct
select
    entity_id,
    run_id
from {{ this }}
where run_id = '{{ told("run_id") }}'
{% endif %}
