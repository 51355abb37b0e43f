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

-- PyIceberg makes the catalog's tables as openimpact: the consumer cluster reads them and nothing else
\connect catalog
revoke all on schema public from public;
grant all on schema public to openimpact;
grant usage on schema public to reader;
alter default privileges for role openimpact in schema public grant select on tables to reader;
