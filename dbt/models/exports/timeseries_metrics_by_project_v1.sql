{{ export_series('project') }}
