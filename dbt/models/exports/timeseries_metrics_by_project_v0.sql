{{ export_oso_series('project') }}
