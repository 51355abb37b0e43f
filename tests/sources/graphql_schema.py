"""A GraphQL schema read from its SDL, and what is wrong with a question by it."""

import re
from dataclasses import dataclass, field

from demo.graphql import Document, Enum, Node, Variable, parse

SCALARS = {"Int": int, "Float": (int, float), "String": str, "Boolean": bool, "ID": str}
WORDS = re.compile(r"[A-Za-z_]\w*|[{}()\[\]:!=&|@,-]|\d+(?:\.\d+)?")


@dataclass
class Field:
    """Type and arguments; an argument is (type, whether it has a default)."""

    type: str
    arguments: dict[str, tuple[str, bool]] = field(default_factory=dict)


@dataclass
class Schema:
    """Types by name: fields of objects and inputs, values of enums; concrete types by interface or union."""

    fields: dict[str, dict[str, Field]] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    enums: dict[str, set[str]] = field(default_factory=dict)
    concrete: dict[str, set[str]] = field(default_factory=dict)


def read_schema(sdl: str) -> Schema:
    """The schema of an SDL text; descriptions, directives and default values are skipped."""
    sdl = re.sub(r'"""[\s\S]*?"""', "", sdl)
    sdl = re.sub(r"@\w+(?:\(\s*reason:\s*\"(?:[^\"\\]|\\.)*\"\s*\))?", "", re.sub(r"#[^\n]*", "", sdl))
    found = Schema()
    for kind, name, rest, body in re.findall(
        r"^(type|interface|input|enum)\s+(\w+)([^{\n]*)\{([\s\S]*?)^\}", sdl, re.MULTILINE
    ):
        if kind == "enum":
            found.enums[name] = set(re.findall(r"\w+", body))
            continue
        found.fields[name] = _fields(body)
        if kind == "input":
            found.inputs.add(name)
        elif kind == "type":
            for one in {name, *re.findall(r"\w+", rest.replace("implements", ""))}:
                found.concrete.setdefault(one, set()).add(name)
    return found


def _fields(body: str) -> dict[str, Field]:
    found: dict[str, Field] = {}
    words, at = WORDS.findall(re.sub(r'"(?:[^"\\]|\\.)*"', "TEXT", body)), 0

    def type_at(at: int) -> tuple[str, int]:
        text = words[at]
        at += 1
        while text.count("[") > text.count("]"):
            text, at = text + words[at], at + 1
        if at < len(words) and words[at] == "!":
            text, at = text + "!", at + 1
        return text, at

    def skip_default(at: int) -> tuple[bool, int]:
        if at >= len(words) or words[at] != "=":
            return False, at
        depth, at = 0, at + 1
        while True:
            depth += (words[at] in "[{") - (words[at] in "]}")
            at += 1
            if depth == 0 and words[at - 1] != "-":
                return True, at

    while at < len(words):
        name, arguments = words[at], {}
        at += 1
        if words[at] == "(":
            at += 1
            while words[at] != ")":
                if words[at] == ",":
                    at += 1
                    continue
                argument = words[at]
                kind, at = type_at(at + 2)
                has_default, at = skip_default(at)
                arguments[argument] = (kind, has_default)
            at += 1
        kind, at = type_at(at + 1)
        has_default, at = skip_default(at)
        found[name] = Field(kind + ("?" if has_default else ""), arguments)
    return found


def problems(schema: Schema, question: str) -> list[str]:
    """What a server with this schema would refuse, one phrase each."""
    document = parse(question)
    found: list[str] = []
    used: set[str] = set()
    _check(schema, document, "Query", document.selection, found, used)
    for name, (kind, selection) in document.fragments.items():
        if kind not in schema.fields:
            found.append(f"fragment {name} is on the unknown type {kind}")
        _check(schema, document, kind, selection, found, used)
    for name in document.variables.keys() ^ {u[1:] for u in used if u[0] == "$"}:
        found.append(f"variable {name} is not declared or not used")
    for name in document.fragments.keys() ^ {u for u in used if u[0] != "$"}:
        found.append(f"fragment {name} is not defined or not used")
    return found


def _check(schema: Schema, document: Document, kind: str, selection: list[Node], found: list[str], used: set) -> None:
    known = schema.fields.get(kind, {})
    for node in selection:
        if node.name.startswith("..."):
            name = node.name.removeprefix("...").removeprefix(" on ")
            target = name
            if node.children is None:
                used.add(name)
                target = document.fragments.get(name, ("", []))[0]
            if not schema.concrete.get(target, set()) & schema.concrete.get(kind, set()):
                found.append(f"{target} can never be {kind}")
            if node.children is not None:
                _check(schema, document, target, node.children, found, used)
            continue
        if node.name not in known:
            found.append(f"{kind} has no field {node.name}")
            continue
        field_ = known[node.name]
        for argument, value in node.arguments.items():
            if argument not in field_.arguments:
                found.append(f"{kind}.{node.name} has no argument {argument}")
            else:
                wanted, has_default = field_.arguments[argument]
                _check_value(
                    schema, document, f"{kind}.{node.name}({argument})", wanted, has_default, value, found, used
                )
        for argument, (wanted, has_default) in field_.arguments.items():
            if wanted.endswith("!") and not has_default and argument not in node.arguments:
                found.append(f"{kind}.{node.name} needs the argument {argument}")
        inner = re.sub(r"\W", "", field_.type)
        if (inner in schema.fields) != (node.children is not None):
            found.append(f"{kind}.{node.name} of type {inner} needs a selection of fields, or must not have one")
        elif node.children is not None:
            _check(schema, document, inner, node.children, found, used)


def _check_value(schema, document, place, wanted, has_default, value, found, used) -> None:
    inner = re.sub(r"\W", "", wanted)
    if isinstance(value, Variable):
        used.add(f"${value.name}")
        given = document.variables.get(value.name, "nothing")
        nullable = given.rstrip("!")
        fits = given == wanted or nullable == wanted.rstrip("!") and (given.endswith("!") or not wanted.endswith("!"))
        if not fits and not (has_default and nullable == wanted.rstrip("!")):
            found.append(f"{place} wants {wanted}, ${value.name} is {given}")
    elif isinstance(value, list):
        for one in value:
            _check_value(schema, document, place, wanted.strip("[]!"), False, one, found, used)
    elif isinstance(value, dict):
        if inner not in schema.inputs:
            found.append(f"{place} wants {wanted}, not an object")
        for key, one in value.items():
            if key not in schema.fields.get(inner, {}):
                found.append(f"{inner} has no field {key}")
            else:
                _check_value(
                    schema,
                    document,
                    f"{inner}.{key}",
                    schema.fields[inner][key].type.rstrip("?"),
                    False,
                    one,
                    found,
                    used,
                )
    elif isinstance(value, Enum):
        if value.name not in schema.enums.get(inner, set()):
            found.append(f"{place} wants {wanted}, not {value.name}")
    elif inner in SCALARS and (
        not isinstance(value, SCALARS[inner]) or isinstance(value, bool) != (inner == "Boolean")
    ):
        found.append(f"{place} wants {wanted}, not {value!r}")
