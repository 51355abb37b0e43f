"""What a page's address asks for: the fields of its form, checked; a field left empty is not given."""

from typing import Any

from starlette.requests import Request

from consumer.rest.endpoint import Parameter


def fields(request: Request, *parameters: Parameter) -> dict[str, Any]:
    """The values of `parameters` by name, the first of each; what the page does not know is not looked at.

    Raises:
        Problem: 400, a value is none of its kind; the answer says which are.
    """
    return {one.name: one.parse(text) if (text := given(request, one.name)) else one.default for one in parameters}


def given(request: Request, name: str) -> str:
    """The first value of a field as it was typed, without blanks around it; empty where there is none."""
    return next((text.strip() for text in request.query_params.getlist(name) if text.strip()), "")
