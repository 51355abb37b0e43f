"""What a document may cost before anything of it runs: depth, aliases, root fields, directives, repeated fields."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_TOKENS = 2_000
MAX_DEPTH = 8
MAX_ALIASES = 15
MAX_ROOT_FIELDS = 10
MAX_DIRECTIVES = 20
MAX_REPEATS = 100  # merging repeated fields is quadratic in their number
MAX_SELECTIONS = 2_000  # with the fragments filled in, which may double at each level
MAX_NESTING = 50  # fragments and values inside each other


def check_document(document: DocumentNode) -> None:
    """Refuses a document in which an operation, its fragments filled in, is above a limit.

    Raises:
        GraphQLError: the first limit met, with the number that holds.
    """
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            _Counter(fragments).operation(definition)


def check_variables(variables: dict) -> None:
    """Refuses variables that nest too deeply.

    Raises:
        GraphQLError: they do.
    """
    level, deep = [variables], 0
    while level:
        deep += 1
        if deep > MAX_NESTING:
            raise GraphQLError(f"The variables nest more than {MAX_NESTING} deep: flatten them.")
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]


class _Counter:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self.fragments = fragments
        self.counts = dict.fromkeys(("selections", "aliases", "directives", "repeated fields", "root fields"), 0)

    def operation(self, operation: OperationDefinitionNode) -> None:
        self._add("directives", len(operation.directives), MAX_DIRECTIVES)
        self._walk(operation.selection_set, 1, set(), ())

    def _walk(self, selected: SelectionSetNode, depth: int | None, seen: set[str], inside: tuple) -> None:
        """`depth` counts fields and is None in an introspection; `inside` are the fragments around."""
        if len(inside) > MAX_NESTING:
            raise GraphQLError(f"Fragments nest more than {MAX_NESTING} deep: flatten the document.")
        if depth and depth > MAX_DEPTH:
            raise GraphQLError(f"The document is more than {MAX_DEPTH} fields deep: ask in several requests.")
        for node in selected.selections:
            self._add("selections", 1, MAX_SELECTIONS)
            self._add("directives", len(node.directives), MAX_DIRECTIVES)
            if isinstance(node, FieldNode):
                self._field(node, depth, seen, inside)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments.get(node.name.value)
                if fragment and node.name.value not in inside:
                    self._walk(fragment.selection_set, depth, seen, (*inside, node.name.value))
            else:
                self._walk(node.selection_set, depth, seen, (*inside, None))

    def _field(self, node: FieldNode, depth: int | None, seen: set[str], inside: tuple) -> None:
        self._add("aliases", bool(node.alias), MAX_ALIASES)
        key = (node.alias or node.name).value
        self._add("repeated fields", key in seen, MAX_REPEATS)
        seen.add(key)
        self._add("root fields", depth == 1, MAX_ROOT_FIELDS)
        if node.selection_set:
            introspects = depth is None or node.name.value in ("__schema", "__type")
            below = (*inside, None) if introspects else ()
            self._walk(node.selection_set, None if introspects else depth + 1, set(), below)

    def _add(self, what: str, number: int, most: int) -> None:
        self.counts[what] += number
        if self.counts[what] > most:
            raise GraphQLError(f"The document has more than {most} {what}: ask in several requests.")
