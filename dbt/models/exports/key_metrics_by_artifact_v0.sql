{{ export_oso_key('artifact') }}
