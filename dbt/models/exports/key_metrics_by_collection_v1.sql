{{ export_key('collection') }}
