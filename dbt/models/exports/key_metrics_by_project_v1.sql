{{ export_key('project') }}
