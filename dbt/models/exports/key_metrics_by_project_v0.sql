{{ export_oso_key('project') }}
