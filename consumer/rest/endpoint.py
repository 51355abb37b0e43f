"""What an endpoint is: a path, parameters that are checked, and a function from them to an answer.

Requests, the OpenAPI document and the index all come from the same declarations.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from consumer.bundle import Bundle, Column
from consumer.problems import Problem
from consumer.serving import Serving

MAX_TEXT = 300
INTEGER = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query or the path; `kind` is string, integer, number, boolean or date."""

    name: str
    description: str
    kind: str = "string"
    required: bool = False
    default: Any = None
    allowed: Sequence[str] = ()
    bounds: tuple[int, int] | None = None

    def parse(self, text: str) -> Any:
        """The value of `text`.

        Raises:
            Problem: 400, it is none; the answer says what is allowed.
        """
        if self.allowed:
            if text not in self.allowed:
                raise self._wrong(text, f"one of {', '.join(self.allowed)}", allowed=list(self.allowed))
            return text
        if not text or len(text) > MAX_TEXT or "\x00" in text:
            raise self._wrong(text[:20], f"text of 1 to {MAX_TEXT} characters")
        try:
            return self._convert(text)
        except ValueError:
            raise self._wrong(text, self._form()) from None

    def schema(self) -> dict:
        """JSON Schema of the value."""
        if self.allowed:
            found: dict = {"type": "string", "enum": list(self.allowed)}
        elif self.kind == "integer":
            low, high = self.bounds or INTEGER
            found = {"type": "integer", "minimum": low, "maximum": high}
        elif self.kind == "date":
            found = {"type": "string", "format": "date"}
        elif self.kind == "string":
            found = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
        else:
            found = {"type": self.kind}
        return found | ({"default": self.default} if self.default is not None else {})

    def _convert(self, text: str) -> Any:
        if self.kind == "integer":
            low, high = self.bounds or INTEGER
            if not text.lstrip("-").isdecimal() or not text.isascii() or not low <= int(text) <= high:
                raise ValueError
            return int(text)
        if self.kind == "date":
            if len(text) != 10:
                raise ValueError
            return date.fromisoformat(text)
        if self.kind == "number":
            return float(text)
        if self.kind == "boolean":
            return {"true": True, "false": False}[text] if text in ("true", "false") else int("")
        return text

    def _form(self) -> str:
        if self.kind == "integer":
            low, high = self.bounds or INTEGER
            return f"a whole number from {low} to {high}"
        return {"date": "a day as YYYY-MM-DD", "number": "a number", "boolean": "true or false"}[self.kind]

    def _wrong(self, text: str, form: str, **members) -> Problem:
        return Problem(400, f"{self.name}={text[:60]} is not {form}.", parameter=self.name, **members)


@dataclass(frozen=True)
class Answer:
    """Rows by a query, `limit` of them and a page after; `about` goes beside them; `one` makes the row the data.

    `data` stands in for the query where the rows are at hand; what is not `kept` may change within a release.
    """

    sql: str = ""
    parameters: list = field(default_factory=list)
    about: dict = field(default_factory=dict)
    limit: int | None = None
    data: Any = None
    one: bool = False
    kept: bool = True


@dataclass(frozen=True)
class Ask:
    """A request, checked: its bundle and its parameters by name; those not given have their default."""

    bundle: Bundle
    serving: Serving
    values: dict[str, Any]
    form: str

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


@dataclass(frozen=True)
class Endpoint:
    """One kind of question. `columns` gives the columns of its rows, for the OpenAPI document.

    `path` may name parameters in braces; `extra` gives the parameters that depend on them, such as a table's columns.
    `card` is the kind of entity whose card is the answer where nothing but the entity is asked for.
    """

    path: str
    answer: Callable[[Ask], Answer]
    columns: Callable[[Bundle], Sequence[Column]]
    parameters: tuple[Parameter, ...] = ()
    about: tuple[tuple[str, dict], ...] = ()
    one: bool = False
    paged: bool = False
    extra: Callable[[Bundle, dict[str, str]], Sequence[Parameter]] | None = None
    card: str | None = None

    @property
    def summary(self) -> str:
        """What it gives, in a sentence: that of its answer's docstring."""
        return self.answer.__doc__ or ""

    def ask(self, bundle: Bundle, serving: Serving, path: dict[str, str], query: Sequence[tuple[str, str]], form: str):
        """The request, checked.

        Raises:
            Problem: 400, an unknown, repeated, missing or wrong parameter; the answer says which are allowed.
        """
        known = {parameter.name: parameter for parameter in (*self.parameters, *self._more(bundle, path))}
        values = {name: parameter.default for name, parameter in known.items()}
        seen = set()
        for name, text in [*path.items(), *((name, text) for name, text in query if name != "release")]:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else "."
                raise Problem(400, f"There is no parameter {name[:60]!r} here{hint}", allowed=[*known, "release"])
            if name in seen:
                raise Problem(400, f"The parameter {name!r} is given twice; give it once.", parameter=name)
            seen.add(name)
            values[name] = known[name].parse(text)
        missing = [name for name, parameter in known.items() if parameter.required and name not in seen]
        if missing:
            raise Problem(
                400, f"The parameter {missing[0]!r} is missing: {known[missing[0]].description}.", allowed=[*known]
            )
        return Ask(bundle, serving, values, form)

    def _more(self, bundle: Bundle, path: dict[str, str]) -> Sequence[Parameter]:
        return self.extra(bundle, path) if self.extra else ()
