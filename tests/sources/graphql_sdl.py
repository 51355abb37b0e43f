"""Checks a query against a schema in SDL, by the rules that GitHub's server would refuse it for."""

import re
from dataclasses import dataclass, field

from demo.github_graphql import Enum, Field, Query, Variable

BLOCK = re.compile(r'"""(?:[^"]|"(?!""))*"""', re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
HEAD = re.compile(
    r"^(type|interface|input|enum|union|scalar) (\w+)([^{=\n]*)(?:\{(.*?)^\}|=([^\n]*(?:\n +\|[^\n]*)*))?", re.S | re.M
)
MEMBER = re.compile(r"(\w+)\s*(?:\(([^)]*)\))?\s*:\s*([\w!\[\]]+)(\s*=\s*[^@\n]+)?(\s*@deprecated)?")
ARGUMENT = re.compile(r"(\w+)\s*:\s*([\w!\[\]]+)(\s*=)?")


@dataclass
class Type:
    """A type of the schema: its fields as (type, arguments, deprecated), what it implements, its members or values."""

    kind: str
    fields: dict[str, tuple[str, dict[str, tuple[str, bool]], bool]] = field(default_factory=dict)
    parents: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


def read_schema(text: str) -> dict[str, Type]:
    """The types of an SDL text."""
    text = STRING.sub('""', BLOCK.sub("", text))
    found = {}
    for kind, name, head, body, union in HEAD.findall(text):
        made = found[name] = Type(kind, parents=set(re.findall(r"\w+", head)) - {"implements"})
        made.words = set(re.findall(r"\w+", body if kind == "enum" else union))
        if kind in ("type", "interface", "input"):
            for member, arguments, of, _, deprecated in MEMBER.findall(body):
                given = {a: (t, bool(d) or not t.endswith("!")) for a, t, d in ARGUMENT.findall(arguments)}
                made.fields[member] = (of, given, bool(deprecated))
    return found


def problems(query: Query, schema: dict[str, Type]) -> list[str]:
    """What the server would refuse, one phrase each; deprecated fields too."""
    used: set[str] = set()
    found = list(_selections(query.selections, "Query", query, schema, used, "query"))
    found += [f"variable ${name} is not used" for name in sorted(query.variables.keys() - used)]
    return found


def _possible(name: str, schema: dict[str, Type]) -> set[str]:
    if schema[name].kind == "union":
        return schema[name].words
    if schema[name].kind == "interface":
        return {n for n, t in schema.items() if t.kind == "type" and name in t.parents}
    return {name}


def _selections(fields: list[Field], on: str, query: Query, schema, used, place):
    for one in fields:
        if one.on:
            if one.on not in schema or not _possible(one.on, schema) & _possible(on, schema):
                yield f"{place}: no {on} is ever a {one.on}"
            else:
                yield from _selections(one.selections, one.on, query, schema, used, f"{place}[{one.on}]")
            continue
        here = f"{place}.{one.alias}"
        if one.name == "__typename":
            continue
        if one.name not in schema[on].fields:
            yield f"{here}: {on} has no field {one.name}"
            continue
        of, arguments, is_deprecated = schema[on].fields[one.name]
        if is_deprecated:
            yield f"{here} is deprecated"
        for name, value in one.arguments.items():
            if name not in arguments:
                yield f"{here}: no argument {name}"
            else:
                yield from _value(value, arguments[name][0], query, schema, used, f"{here}({name})")
        yield from (
            f"{here} needs {n}" for n, (_, is_free) in arguments.items() if not is_free and n not in one.arguments
        )
        inner = of.strip("[]!")
        is_leaf = inner not in schema or schema[inner].kind in ("scalar", "enum")
        if is_leaf is bool(one.selections):
            yield f"{here}: {inner} {'has no' if is_leaf else 'needs'} fields"
        elif one.selections:
            reads = {f.name for f in one.selections}
            pages = one.arguments.get("first", one.arguments.get("last"))
            if inner.endswith("Connection") and reads & {"nodes", "edges"} and not (pages and 1 <= pages <= 100):
                yield f"{here} needs first or last, 1 to 100"
            yield from _selections(one.selections, inner, query, schema, used, here)


def _value(value, of: str, query: Query, schema, used, place):
    if isinstance(value, Variable):
        used.add(value.name)
        given = query.variables.get(value.name)
        if given is None:
            yield f"{place}: variable ${value.name} is not declared"
        elif given != of and given.rstrip("!") != of:
            yield f"{place} is {of}, variable ${value.name} is {given}"
    elif of.strip("!").startswith("["):
        if not isinstance(value, list):
            yield f"{place} is no list"
        for one in value if isinstance(value, list) else ():
            yield from _value(one, of.strip("!")[1:-1], query, schema, used, place)
    elif (kind := schema.get(of.strip("!"))) and kind.kind == "enum":
        if not isinstance(value, Enum) or value.name not in kind.words:
            yield f"{place}: {value} is no {of}"
    elif kind and kind.kind == "input":
        for name, one in value.items():
            if name not in kind.fields:
                yield f"{place}: {of} has no {name}"
            else:
                yield from _value(one, kind.fields[name][0], query, schema, used, f"{place}.{name}")
    elif isinstance(value, Enum | dict | list) or (of.strip("!") == "Int") is not isinstance(value, int):
        yield f"{place}: {value} is no {of}"
