{{ export_oso_series('artifact') }}
