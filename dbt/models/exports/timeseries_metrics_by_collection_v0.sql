{{ export_oso_series('collection') }}
