{{ export_oso_key('collection') }}
