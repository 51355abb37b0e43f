-- What role `reader`, as which the consumer cluster opens the catalog, may: read its two tables and nothing else.
-- By the owner, in the catalog's database, before the first build; it may run again.
-- The tables are those that PyIceberg and Trino would make.
create table if not exists iceberg_tables (
  catalog_name varchar(255) not null,
  table_namespace varchar(255) not null,
  table_name varchar(255) not null,
  metadata_location varchar(1000),
  previous_metadata_location varchar(1000),
  iceberg_type varchar(5),
  primary key (catalog_name, table_namespace, table_name)
);
create table if not exists iceberg_namespace_properties (
  catalog_name varchar(255) not null,
  namespace varchar(255) not null,
  property_key varchar(255) not null,
  property_value varchar(1000) not null,
  primary key (catalog_name, namespace, property_key)
);
revoke create on schema public from public;
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
grant select on iceberg_tables, iceberg_namespace_properties to reader;
