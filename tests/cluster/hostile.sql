-- What a reader of the consumer cluster may try, one statement a line, below the error that has to stop it.
-- raw.shared, staging.shared and oso.shared_v1 are open to read; secret.canary and hidden.canary are not.

-- PERMISSION_DENIED: writing data
create table lake.raw.mine as select 1 as x
create table consumer.oso.mine as select 1 as x
create table lake.raw.mine (x bigint)
create or replace table lake.raw.shared as select 'forged' as name
create or replace table consumer.oso.shared_v1 as select 'forged' as name
insert into lake.raw.shared (name) values ('forged')
insert into consumer.oso.shared_v1 (name) values ('forged')
update lake.raw.shared set name = 'forged'
update consumer.oso.shared_v1 set name = 'forged'
delete from lake.raw.shared
delete from consumer.oso.shared_v1
truncate table lake.raw.shared
truncate table consumer.oso.shared_v1
merge into consumer.oso.shared_v1 t using (select 'a' as name) s on t.name = s.name when matched then delete
explain analyze insert into consumer.oso.shared_v1 (name) values ('forged')
explain analyze delete from lake.raw.shared

-- PERMISSION_DENIED: changing tables, views and schemas
create schema lake.mine
create schema consumer.oso_mine
create schema consumer.oso_mine with (location = 's3://lake/mine')
drop schema lake.raw cascade
drop schema consumer.oso cascade
alter schema lake.raw rename to mine
alter schema consumer.oso set authorization anonymous
drop table lake.raw.shared
drop table consumer.oso.shared_v1
alter table lake.raw.shared rename to lake.raw.mine
alter table consumer.oso.shared_v1 add column x bigint
alter table consumer.oso.shared_v1 drop column name
alter table consumer.oso.shared_v1 rename column name to x
alter table lake.raw.shared alter column amount set data type varchar
alter table lake.raw.shared set properties format_version = 2
alter table lake.raw.shared set authorization anonymous
comment on table consumer.oso.shared_v1 is 'forged'
comment on column lake.raw.shared.name is 'forged'
create view lake.staging.mine as select 1 as x
create or replace view lake.staging.shared as select 'forged' as name
create or replace view consumer.oso.shared_v1 as select 'forged' as name
create materialized view consumer.oso.mine as select 1 as x
drop view lake.staging.shared
alter view lake.staging.shared rename to lake.staging.mine
analyze lake.raw.shared
create function lake.raw.mine() returns bigint return 1

-- PERMISSION_DENIED: upkeep and procedures
alter table lake.raw.shared execute optimize
alter table lake.raw.shared execute expire_snapshots(retention_threshold => '0s')
alter table lake.raw.shared execute remove_orphan_files(retention_threshold => '0s')
alter table consumer.oso.shared_v1 execute drop_extended_stats
alter table lake.raw.shared execute add_files(location => 's3://lake/mine', format => 'PARQUET')
call lake.system.register_table('raw', 'mine', 's3://lake/lake/secret/canary')
call lake.system.unregister_table('raw', 'shared')
call lake.system.rollback_to_snapshot('raw', 'shared', 1)
call system.runtime.kill_query('20260101_000000_00000_aaaaa', 'mine')

-- PERMISSION_DENIED: rights, roles and other users
grant select on lake.secret.canary to user anonymous
grant all privileges on consumer.oso.shared_v1 to user anonymous
deny select on consumer.oso.shared_v1 to user alice
revoke select on lake.secret.canary from user anonymous
create role mine
set session authorization operator
create catalog mine using memory
create catalog mine using postgresql with ("connection-url" = 'jdbc:postgresql://127.0.0.1/catalog')
drop catalog lake

-- PERMISSION_DENIED: limits
set session query_max_execution_time = '1d'
set session query_max_scan_physical_bytes = '1PB'
set session query_max_memory = '1TB'
set session query_priority = 100
set session lake.remove_orphan_files_min_retention = '0s'
set session consumer.parquet_max_read_block_size = '1GB'

-- PERMISSION_DENIED: rows outside
select * from lake.secret.canary
select * from consumer.hidden.canary
select * from "LAKE"."Secret"."CANARY"
select * from "lake"."secret"."canary" for version as of 'main'
table lake.secret.canary
select count(*) from lake.secret.canary
select name from consumer.oso.shared_v1 union all select name from lake.secret.canary
select name from consumer.oso.shared_v1 where exists (select 1 from consumer.hidden.canary)
select (select max(name) from lake.secret.canary)
select name from consumer.oso.shared_v1 order by (select max(name) from consumer.hidden.canary)
select * from consumer.oso.shared_v1 s cross join lateral (select name from lake.secret.canary) c
with shared_v1 as (select * from consumer.hidden.canary) select * from shared_v1
select * from lake.secret.canary s, (with canary as (select 1 as a) select * from canary) x
with session query_max_execution_time = '1d' select * from consumer.oso.shared_v1
explain select * from lake.secret.canary
explain analyze select * from lake.secret.canary
explain (type io) select * from consumer.hidden.canary
show stats for lake.secret.canary
show stats for (select * from consumer.hidden.canary)
show columns from lake.secret.canary
describe consumer.hidden.canary
show create table lake.secret.canary
show create schema lake.secret
show tables from lake.secret
execute immediate 'select * from lake.secret.canary'
execute immediate 'delete from lake.raw.shared'

-- PERMISSION_DENIED: what tables are made of
select * from lake.raw."shared$files"
select * from lake.raw."shared$snapshots"
select * from lake.raw."shared$history"
select * from lake.raw."shared$manifests"
select * from lake.raw."shared$properties"
select * from lake.raw."shared$metadata_log_entries"
select * from consumer.oso."shared_v1$files"
select * from consumer.oso."shared_v1$refs"
select "$path" from consumer.oso.shared_v1
select * from lake.secret."canary$files"
select * from table(lake.system.table_changes('raw', 'shared', 1, 2))
select * from table(lake.system.table_changes('secret', 'canary', 1, 2))
select * from lake.system.iceberg_tables
show create table consumer.oso.shared_v1
show create view lake.staging.shared

-- PERMISSION_DENIED: the system
select * from system.runtime.queries
select * from system.runtime.nodes
select * from system.runtime.tasks
select * from system.runtime.transactions
select * from system.runtime.optimizer_rule_stats
select * from system.metadata.catalogs
select * from system.metadata.table_properties
select * from system.metadata.schema_properties
select * from system.metadata.column_properties
select * from system.metadata.materialized_views

-- ANSWER: lists, which name nothing that is closed
show catalogs
show schemas from lake
show schemas from consumer
show tables from lake.raw
show stats for consumer.oso.shared_v1
select * from lake.information_schema.tables
select * from lake.information_schema.schemata
select * from lake.information_schema.columns
select * from lake.information_schema.views
select * from consumer.information_schema.tables
select * from consumer.information_schema.columns
select * from system.jdbc.catalogs
select * from system.jdbc.schemas
select * from system.jdbc.tables
select * from system.jdbc.columns
select * from system.metadata.table_comments

-- EXCEEDED_LOCAL_MEMORY_LIMIT: more than one query may hold
select array_agg(rpad('x', 10000, 'y') || cast(a as varchar)) from unnest(sequence(1, 10000)) t(a), unnest(sequence(1, 10000)) u(b)

-- INVALID_FUNCTION_ARGUMENT: more than a function makes
select cardinality(repeat('x', 2000000000))
select count(*) from unnest(sequence(1, 2000000000))

-- NOT_SUPPORTED: recursion without end
with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r
