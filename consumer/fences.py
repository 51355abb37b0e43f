"""How DuckDB opens a bundle: to read, and to reach nothing outside it."""

FENCES = {
    "access_mode": "read_only",
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "max_temp_directory_size": "0KiB",
    "memory_limit": "1GB",
    "threads": "2",
}
