{{ config(materialized='view') }}
select artifact_id
from {{ ref('int_rebuild__github') }}
where event_day is null
union distinct
select artifact_id
from {{ ref('int_rebuild__others') }}
where event_day is null
