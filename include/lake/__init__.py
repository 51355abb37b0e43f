"""The lake: Iceberg catalogs, tables, the landing of whole days, exports and releases."""
