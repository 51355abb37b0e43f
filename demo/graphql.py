"""As much of GraphQL as a stand-in needs: questions are parsed, and answered out of plain dicts.

An object is a dict; `__types` names the types that a fragment may ask for, a callable value is a field with arguments.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}()\[\]:!$=@|]')


class Refused(Exception):
    """An error of a resolver, with the code that clients see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Variable:
    """A place for a variable's value."""

    name: str


@dataclass(frozen=True)
class Enum:
    """A bare word as a value."""

    name: str


@dataclass
class Node:
    """A field (`name`), a spread ('...Name') or an inline fragment ('... on Type')."""

    name: str
    alias: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    children: list["Node"] | None = None


@dataclass
class Document:
    """One query, its variables' types and its fragments as (type, selection)."""

    variables: dict[str, str]
    selection: list[Node]
    fragments: dict[str, tuple[str, list[Node]]]
    tokens: int


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Refused("GRAPHQL_PARSE_FAILED", f"Syntax Error: expected {wanted or 'more'}, found {token!r}")
        self.at += 1
        return token

    def until(self, end: str, read: Callable[[], Any]) -> list:
        found = []
        while self.peek() != end:
            found.append(read())
        self.take(end)
        return found

    def document(self) -> Document:
        found = Document({}, [], {}, len(self.tokens))
        while self.peek():
            if self.peek() == "fragment":
                self.take()
                name = self.take()
                self.take("on")
                kind = self.take()
                found.fragments[name] = (kind, self.selection())
                continue
            if self.peek() == "query":
                self.take()
                if self.peek() not in "({":
                    self.take()
                if self.peek() == "(":
                    self.take()
                    found.variables = dict(self.until(")", self.variable))
            found.selection = self.selection()
        return found

    def variable(self) -> tuple[str, str]:
        self.take("$")
        name = self.take()
        self.take(":")
        kind = self.take()
        while self.peek() in ("[", "]", "!") or kind.endswith("["):
            kind += self.take()
        return name, kind

    def selection(self) -> list[Node]:
        self.take("{")
        return self.until("}", self.node)

    def node(self) -> Node:
        name = self.take()
        if name == "...":
            if self.peek() == "on":
                self.take()
                return Node(f"... on {self.take()}", children=self.selection())
            return Node(f"...{self.take()}")
        alias = name
        if self.peek() == ":":
            self.take()
            name = self.take()
        node = Node(name, alias)
        if self.peek() == "(":
            self.take()
            node.arguments = dict(self.until(")", self.pair))
        if self.peek() == "{":
            node.children = self.selection()
        return node

    def pair(self) -> tuple[str, Any]:
        name = self.take()
        self.take(":")
        return name, self.value()

    def value(self) -> Any:
        word = self.take()
        if word == "$":
            return Variable(self.take())
        if word == "[":
            return self.until("]", self.value)
        if word == "{":
            return dict(self.until("}", self.pair))
        if word[0] == '"':
            return word[1:-1]
        if word in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[word]
        return (float(word) if "." in word else int(word)) if word[0] in "-0123456789" else Enum(word)


def parse(text: str) -> Document:
    """The parsed question.

    Raises:
        Refused: it is no GraphQL.
    """
    return _Reader(text).document()


def execute(document: Document, variables: Mapping[str, Any], root: Mapping[str, Callable], required: set[str]) -> dict:
    """The answer, {"data", "errors"}; an error in a root field of `required` makes the data null."""
    data: dict | None = {}
    errors = []
    for node in document.selection:
        try:
            if node.name not in root:
                raise Refused("GRAPHQL_VALIDATION_FAILED", f'Cannot query field "{node.name}" on type "Query".')
            value = root[node.name](**_filled(node.arguments, variables))
            answer = _completed(value, node.children, document, variables)
        except Refused as error:
            errors.append({"message": str(error), "path": [node.alias], "extensions": {"code": error.code}})
            if node.name in required:
                data = None
                break
            answer = None
        data[node.alias] = answer
    return {"data": data} | ({"errors": errors} if errors else {})


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}
    return [_filled(one, variables) for one in value] if isinstance(value, list) else value


def _completed(value: Any, selection: list[Node] | None, document: Document, variables: Mapping[str, Any]) -> Any:
    if value is None or selection is None:
        return value
    if isinstance(value, list):
        return [_completed(one, selection, document, variables) for one in value]
    found = {}
    for node in selection:
        if node.name.startswith("..."):
            name = node.name.removeprefix("...").removeprefix(" on ")
            kind, children = (name, node.children) if node.children is not None else document.fragments[name]
            if kind in value.get("__types", (kind,)):
                found |= _completed(value, children, document, variables)
            continue
        one = value[node.name]
        one = one(**_filled(node.arguments, variables)) if callable(one) else one
        found[node.alias] = _completed(one, node.children, document, variables)
    return found
