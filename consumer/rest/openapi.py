"""The OpenAPI 3.1 document, from the endpoints and the release's own dictionary."""

from collections.abc import Sequence

from consumer.bundle import Bundle, Column
from consumer.limits import TIERS
from consumer.rest.endpoint import Endpoint, Parameter
from consumer.rest.endpoints import ENDPOINTS, columns_of
from consumer.rest.formats import FORMS

JSON_TYPES: dict[str, dict] = {
    "varchar": {"type": "string"},
    "bigint": {"type": "integer", "format": "int64"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
}
RELEASE = Parameter("release", "Id of a retained release; without it the current one")
ERRORS = {
    400: "A parameter is unknown or wrong; `allowed` or `candidates` says what is right.",
    401: "The API key is unknown, expired or revoked.",
    403: "The API key is not for this.",
    404: "There is no such thing, or no such release.",
    429: "Too many requests, or the day's budget is used up; Retry-After says when to ask again.",
    503: "An older release cannot be opened now.",
}


def document(bundle: Bundle) -> dict:
    """The document; tables are told apart, with their own columns as parameters."""
    paths = {}
    for endpoint in ENDPOINTS:
        if endpoint.extra:
            for name in bundle.tables:
                path = endpoint.path.replace("{table}", name)
                parameters = [*endpoint.parameters[1:], *endpoint.extra(bundle, {"table": name})]
                paths[path] = _operation(bundle, endpoint, parameters, columns_of(name)(bundle), name)
        else:
            columns = endpoint.columns(bundle)
            paths[endpoint.path] = _operation(bundle, endpoint, endpoint.parameters, columns, endpoint.path)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpenImpact",
            "version": "1",
            "summary": "Metrics of open source projects, read from tested releases.",
            "description": "Every path may end in .json, .csv or .parquet. A number comes with unit, sample_date, "
            "quality (ok, partial or unknown) and coverage; null is not known and never zero.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{}, {"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": _problem(), "Limits": {"type": "object", "description": _limits()}},
            "responses": {str(status): _error(about) for status, about in ERRORS.items()},
        },
    }


def column_schema(column: Column) -> dict:
    """JSON Schema of a column's values."""
    if column.type in JSON_TYPES:
        found = JSON_TYPES[column.type]
    else:
        inner = column.type.removesuffix(" array")
        found = {"type": "array", "items": JSON_TYPES.get(inner, {"type": "object"})}
    if column.nullable:
        found = found | {"type": [found["type"], "null"]}
    return found | {"description": column.description}


def _operation(
    bundle: Bundle, endpoint: Endpoint, parameters: Sequence[Parameter], columns: Sequence[Column], name: str
) -> dict:
    in_path = {part.strip("{}") for part in endpoint.path.split("/") if part.startswith("{")}
    row = {
        "type": "object",
        "properties": {column.name: column_schema(column) for column in columns},
        "required": [column.name for column in columns],
    }
    day = {"type": ["string", "null"], "format": "date"}
    envelope = {
        "release": {"type": "string"},
        "published_at": {"type": "string", "format": "date-time"},
        "as_of": {"type": "object", "additionalProperties": day, "description": "Last day of each source."},
        "source_lag_hours": {
            "type": "object",
            "additionalProperties": {"type": ["number", "null"]},
            "description": "Hours from the end of that day to the publication of the release.",
        },
        **dict(endpoint.about),
        "data": row if endpoint.one else {"type": "array", "items": row},
    }
    if endpoint.paged:
        envelope["next"] = {"type": ["string", "null"], "description": "Address of the next page."}
    required = ["release", "published_at", "as_of", "source_lag_hours", "data", *(["next"] if endpoint.paged else [])]
    content = {FORMS["json"]: {"schema": {"type": "object", "properties": envelope, "required": required}}}
    content |= {media: {"schema": {"type": "string"}} for form, media in FORMS.items() if form != "json"}
    return {
        "get": {
            "operationId": name.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace("-", "_"),
            "summary": endpoint.summary,
            "parameters": [
                {
                    "name": parameter.name,
                    "in": "path" if parameter.name in in_path else "query",
                    "required": parameter.required,
                    "description": parameter.description,
                    "schema": parameter.schema(),
                }
                for parameter in (*parameters, RELEASE)
            ],
            "responses": {
                "200": {"description": endpoint.summary, "content": content},
                **{str(status): {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
            },
        }
    }


def _problem() -> dict:
    return {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong and what to do."},
            "instance": {"type": "string", "description": "Names the request for the operators."},
        },
        "required": ["title", "status", "detail", "instance"],
    }


def _error(about: str) -> dict:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": about, "content": {"application/problem+json": {"schema": schema}}}


def _limits() -> str:
    return "; ".join(
        f"{name}: {tier.requests_a_minute or 'any number of'} requests a minute" for name, tier in TIERS.items()
    )
