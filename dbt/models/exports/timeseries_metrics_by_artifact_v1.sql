{{ export_series('artifact') }}
