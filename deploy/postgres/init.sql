-- The two databases of the cluster and who may do what in them; the image of PostgreSQL runs this at its first start.
-- Passwords are read from files below /run/secrets, or below $SECRETS.
\set ON_ERROR_STOP on
\set airflow `cat "${SECRETS:-/run/secrets}/airflow"`
\set openimpact `cat "${SECRETS:-/run/secrets}/openimpact"`
\set reader `cat "${SECRETS:-/run/secrets}/reader"`

create role airflow login password :'airflow';
create role openimpact login password :'openimpact';
create role reader login password :'reader';

create database airflow owner airflow;
revoke all on database airflow from public;
create database catalog owner openimpact;
revoke all on database catalog from public;
grant connect on database catalog to reader;

-- the tables that PyIceberg and Trino would make: the consumer cluster reads these two and nothing else
\connect catalog
revoke all on schema public from public;
grant all on schema public to openimpact;
grant usage on schema public to reader;
set role openimpact;
create table iceberg_tables (
  catalog_name varchar(255) not null,
  table_namespace varchar(255) not null,
  table_name varchar(255) not null,
  metadata_location varchar(1000),
  previous_metadata_location varchar(1000),
  iceberg_type varchar(5),
  primary key (catalog_name, table_namespace, table_name)
);
create table iceberg_namespace_properties (
  catalog_name varchar(255) not null,
  namespace varchar(255) not null,
  property_key varchar(255) not null,
  property_value varchar(1000) not null,
  primary key (catalog_name, namespace, property_key)
);
grant select on iceberg_tables, iceberg_namespace_properties to reader;
