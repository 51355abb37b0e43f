"""The published tables as GraphQL, in the styles of OSO (camelCase) and of Hasura v2 (snake_case)."""
