{{ export_key('artifact') }}
