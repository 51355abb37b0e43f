"""GraphQL for stand-ins: graphql-core reads the question, and plain dicts answer it.

An object is a dict; `__types` or `__typename` says which fragments fit it (any, if it has neither), and a value that
can be called is a field with arguments.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import graphql
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, OperationDefinitionNode, SelectionSetNode


class Refused(Exception):
    """An error in place of a field's value, with the code that clients see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Question:
    """One operation with its fragments by name and the values of its variables."""

    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]

    def fields(self, selection: SelectionSetNode | None, of: Mapping | None = None) -> Iterator[FieldNode]:
        """The fields of a selection, in order, with those of the fragments that fit the object; of all without one.

        Raises:
            Refused: a fragment is not there.
        """
        for node in selection.selections if selection else ():
            if isinstance(node, FieldNode):
                yield node
                continue
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in self.fragments:
                    raise Refused("GRAPHQL_VALIDATION_FAILED", f'Unknown fragment "{node.name.value}".')
                node = self.fragments[node.name.value]
            kind = node.type_condition.name.value
            if of is None or kind in of.get("__types", (of.get("__typename", kind),)):
                yield from self.fields(node.selection_set, of)

    def arguments(self, field: FieldNode) -> dict[str, Any]:
        """A field's arguments with variables put in; a variable without a value is no argument, an enum is its name."""
        given = ((a.name.value, graphql.value_from_ast_untyped(a.value, self.variables)) for a in field.arguments)
        return {name: value for name, value in given if value is not graphql.Undefined}


def parse(text: str, variables: Mapping[str, Any] | None = None, max_tokens: int | None = None) -> Question:
    """The question of a text.

    Raises:
        Refused: it is no GraphQL with one operation, is nested too deeply, or is longer than `max_tokens`.
    """
    try:
        document = _document(text, max_tokens)
    except graphql.GraphQLError as error:
        raise Refused("GRAPHQL_PARSE_FAILED", str(error)) from None
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    if len(operations) != 1:
        raise Refused("GRAPHQL_VALIDATION_FAILED", f"One operation is needed, not {len(operations)}.")
    return Question(operations[0], fragments, variables or {})


@lru_cache(maxsize=64)  # sources ask the same text with other variables, batch after batch
def _document(text: str, max_tokens: int | None) -> graphql.DocumentNode:
    return graphql.parse(text, no_location=True, max_tokens=max_tokens)


def execute(question: Question, root: Mapping[str, Any], required: Collection[str] = ()) -> tuple:
    """The data, and a list of (path, Refused); an error in a root field of `required` makes the data None."""
    errors: list[tuple[list, Refused]] = []
    data = _object(question, question.operation.selection_set, root, [], errors)
    names = {alias_of(f): f.name.value for f in question.fields(question.operation.selection_set)}
    return (None if any(names[path[0]] in required for path, _ in errors if len(path) == 1) else data), errors


def alias_of(field: FieldNode) -> str:
    """The name under which a field is answered."""
    return (field.alias or field.name).value


def _object(question: Question, selection: SelectionSetNode, source: Mapping, path: list, errors: list) -> dict:
    found = {}
    for field in question.fields(selection, source):
        here, name = [*path, alias_of(field)], field.name.value
        try:
            if name not in source:
                of = source.get("__typename", "object")
                raise Refused("undefinedField", f"Field '{name}' doesn't exist on type '{of}'")
            value = source[name]
            value = value(**question.arguments(field)) if callable(value) else value
            found[here[-1]] = _value(question, field.selection_set, value, here, errors)
        except Refused as error:
            found[here[-1]] = None
            errors.append((here, error))
    return found


def _value(question: Question, selection: SelectionSetNode | None, value: Any, path: list, errors: list) -> Any:
    if isinstance(value, list):
        return [_value(question, selection, one, [*path, n], errors) for n, one in enumerate(value)]
    if selection is None or not isinstance(value, Mapping):
        return value
    return _object(question, selection, value, path, errors)
