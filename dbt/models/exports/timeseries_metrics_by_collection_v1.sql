{{ export_series('collection') }}
