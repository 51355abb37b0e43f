"""As much of GraphQL as a stand-in needs: a query's text to fields, and fields answered out of plain objects.

An object is a mapping with `__typename`; a value that can be called is called with the field's arguments.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'\s*(?:#[^\n]*\s*)*(\.\.\.|[{}()\[\]:!$=]|[_A-Za-z]\w*|-?\d+|"(?:[^"\\]|\\.)*")[\s,]*')


class QueryError(Exception):
    """A query that cannot be read, or a field that is not there; `kind` is GitHub's word for it."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Enum:
    """A bare word in an argument."""

    name: str


@dataclass
class Variable:
    """A variable in an argument."""

    name: str


@dataclass
class Field:
    """One field; `on` selects it for that type only, and such a field is an inline fragment if it has no name."""

    name: str
    alias: str
    arguments: dict[str, Any] = field(default_factory=dict)
    selections: list["Field"] = field(default_factory=list)
    on: str | None = None


@dataclass
class Query:
    """A parsed query: variable types by name, and the root's fields."""

    variables: dict[str, str]
    selections: list[Field]


def parse(text: str) -> Query:
    """The query of a text.

    Raises:
        QueryError: it is none.
    """
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = TOKEN.match(text, at)
        if not found:
            raise QueryError(f"unexpected {text[at : at + 20]!r}")
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens)
    query = reader.query()
    if reader.tokens:
        raise QueryError(f"unexpected {reader.tokens[-1]!r} after the query")
    return query


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def peek(self) -> str:
        return self.tokens[-1] if self.tokens else ""

    def take(self, wanted: str | None = None) -> str:
        if not self.tokens or (wanted and self.tokens[-1] != wanted):
            raise QueryError(f"expected {wanted or 'more'}, found {self.peek() or 'the end'!r}")
        return self.tokens.pop()

    def query(self) -> Query:
        variables = {}
        if self.peek() == "query":
            self.take()
            if self.peek() == "(":
                self.take()
                while self.peek() != ")":
                    self.take("$")
                    name = self.take()
                    self.take(":")
                    variables[name] = self.kind()
                self.take()
        return Query(variables, self.selections())

    def kind(self) -> str:
        text = self.take()
        if text == "[":
            text = f"[{self.kind()}{self.take(']')}"
        return text + (self.take() if self.peek() == "!" else "")

    def selections(self) -> list[Field]:
        self.take("{")
        found = []
        while self.peek() != "}":
            found.append(self.field())
        self.take()
        return found

    def field(self) -> Field:
        name = self.take()
        if name == "...":
            self.take("on")
            return Field("", "", on=self.take(), selections=self.selections())
        made = Field(name, name)
        if self.peek() == ":":
            self.take()
            made.name = self.take()
        if self.peek() == "(":
            self.take()
            while self.peek() != ")":
                key = self.take()
                self.take(":")
                made.arguments[key] = self.value()
            self.take()
        if self.peek() == "{":
            made.selections = self.selections()
        return made

    def value(self) -> Any:
        word = self.take()
        if word == "$":
            return Variable(self.take())
        if word == "[":
            found = []
            while self.peek() != "]":
                found.append(self.value())
            self.take()
            return found
        if word == "{":
            pairs = {}
            while self.peek() != "}":
                key = self.take()
                self.take(":")
                pairs[key] = self.value()
            self.take()
            return pairs
        if word[0] == '"':
            return word[1:-1].replace('\\"', '"')
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        return int(word) if word.lstrip("-").isdigit() else Enum(word)


def execute(query: Query, variables: Mapping[str, Any], root: Mapping[str, Any]) -> dict:
    """The answer's `data` and, where a field raised QueryError, its `errors` by path."""
    errors: list[dict] = []
    data = _object(query.selections, root, variables, [], errors)
    return {"data": data} | ({"errors": errors} if errors else {})


def _object(selections: list[Field], source: Mapping, variables: Mapping, path: list, errors: list[dict]) -> dict:
    found: dict[str, Any] = {}
    for one in selections:
        if one.on:
            if one.on == source.get("__typename"):
                found |= _object(one.selections, source, variables, path, errors)
            continue
        here = [*path, one.alias]
        try:
            if one.name not in source:
                raise QueryError(
                    f"Field '{one.name}' doesn't exist on type '{source.get('__typename')}'", "undefinedField"
                )
            value = source[one.name]
            if callable(value):
                value = value(**{k: plain(v, variables) for k, v in one.arguments.items()})
            found[one.alias] = _value(one, value, variables, here, errors)
        except QueryError as error:
            found[one.alias] = None
            errors.append({"type": error.kind, "path": here, "message": str(error)})
    return found


def _value(one: Field, value: Any, variables: Mapping, path: list, errors: list[dict]) -> Any:
    if isinstance(value, list):
        return [_value(one, v, variables, [*path, n], errors) for n, v in enumerate(value)]
    return _object(one.selections, value, variables, path, errors) if isinstance(value, Mapping) else value


def plain(value: Any, variables: Mapping) -> Any:
    """An argument with variables put in and bare words as text."""
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list):
        return [plain(v, variables) for v in value]
    if isinstance(value, dict):
        return {k: plain(v, variables) for k, v in value.items()}
    return value
