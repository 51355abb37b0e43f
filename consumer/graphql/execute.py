"""One GraphQL request against one bundle: parse, limits, validation, SQL, answer."""

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

import duckdb
import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from consumer.bundle import Bundle
from consumer.graphql.limits import MAX_TOKENS, check_document, check_variables
from consumer.graphql.query import Reader
from consumer.graphql.scalars import KINDS
from consumer.graphql.schema import OSO, Style, build_schema

log = logging.getLogger(__name__)

MAX_SECONDS = 10
MAX_ERRORS = 10
BYTES_OF_A_ROW = 64
# how documents written for OSO call the scalars of their variables
OLD_NAMES = {"String1": "String", "Boolean1": "Boolean", "Float": "Float64"}
SCALARS = {kind.oso for kind in KINDS.values()}


@dataclass(frozen=True)
class Request:
    """The parameters of a request, checked; `safe` where only queries may run, as by GET."""

    query: str | None
    variables: dict = field(default_factory=dict)
    operation: str | None = None
    extensions: dict = field(default_factory=dict)
    safe: bool = False


@dataclass(frozen=True)
class Answer:
    """The body, and what HTTP must know of it: whether it ran at all, has errors, the rows and seconds it cost."""

    body: bytes
    ran: bool
    errors: bool
    rows: int = 0
    seconds: float = 0.0
    not_by_get: bool = False


class Store:
    """Keeps what was used last, up to `most` of the sizes given with the values; safe in any thread."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._kept: OrderedDict = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key):
        """The value, or None."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key, value, size: int) -> None:
        """Keeps the value and forgets those used longest ago."""
        with self._lock:
            self._size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = value, size
            while self._size > self._most:
                self._size -= self._kept.popitem(last=False)[1][1]


class Endpoint:
    """A style over the tables of a bundle. Documents that passed are kept by their hash, for all requests.

    It does not hold the bundle, which is closed when nobody does.
    """

    def __init__(self, bundle: Bundle, style: Style) -> None:
        self.style = style
        self.schema = build_schema(bundle.tables, style)
        self.documents = Store(256 * 1024)
        self.introspections = Store(8 * 1024 * 1024)
        self._introspecting = threading.Lock()
        release = {"id": bundle.release_id, "published_at": bundle.published_at.isoformat()}
        self.extensions = {"release": release}

    def answer(self, bundle: Bundle, request: Request) -> Answer:
        """Runs a request in this thread, on the bundle this was made of; every failure is an answer."""
        try:
            digest, document = self._document(request)
            check_variables(request.variables)
            operation = get_operation_ast(document, request.operation)
            if operation is None:
                raise GraphQLError(_which(document, request.operation))
            if request.safe and operation.operation is not OperationType.QUERY:
                return self._refused([GraphQLError("Only queries run by GET.")], not_by_get=True)
        except GraphQLError as error:
            return self._refused([error])
        except _Invalid as invalid:
            return self._refused(invalid.errors)
        if not _introspects(operation):
            return self._run(bundle, document, request)
        key = digest, request.operation, orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
        with self._introspecting:
            if kept := self.introspections.get(key):
                return kept
            answer = self._run(bundle, document, request)
            self.introspections.put(key, answer, len(answer.body))
        # asking for the schema in ever new ways is work for us: it is paid for like rows of that size
        return replace(answer, rows=len(answer.body) // BYTES_OF_A_ROW)

    def _document(self, request: Request) -> tuple[str, DocumentNode]:
        """The document and the SHA-256 of its text, by which it may be asked for (automatic persisted queries)."""
        persisted = request.extensions.get("persistedQuery")
        wanted = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if request.query is None:
            document = self.documents.get(str(wanted))
            if document is None:
                raise GraphQLError("PersistedQueryNotFound", extensions={"code": "PERSISTED_QUERY_NOT_FOUND"})
            return str(wanted), document
        digest = hashlib.sha256(request.query.encode()).hexdigest()
        if wanted is not None and wanted != digest:
            raise GraphQLError("provided sha does not match query: sha256Hash is that of another text.")
        document = self.documents.get(digest)
        if document is None:
            document = self._checked(request.query)
            self.documents.put(digest, document, len(request.query))
        return digest, document

    def _checked(self, text: str) -> DocumentNode:
        try:
            document = parse(text, max_tokens=MAX_TOKENS, max_comments=MAX_TOKENS)
        except RecursionError:
            raise GraphQLError("The document nests too deeply: ask in several requests.") from None
        check_document(document)
        if self.style is OSO:
            _rename_old_scalars(document)
        if errors := validate(self.schema, document, max_errors=MAX_ERRORS):
            raise _Invalid(errors)
        return document

    def _run(self, bundle: Bundle, document: DocumentNode, request: Request) -> Answer:
        with bundle.within(MAX_SECONDS) as query:
            reader = Reader(bundle.tables, query)
            result = execute_sync(
                self.schema,
                document,
                context_value=reader,
                variable_values=request.variables,
                operation_name=request.operation,
            )
        if result.data is None and all(error.path is None for error in result.errors or []):
            return self._refused(result.errors)
        body = {"data": result.data}
        if result.errors:
            body["errors"] = [_formatted(error) for error in result.errors]
        return Answer(self._json(body), True, bool(result.errors), reader.rows_read, reader.seconds)

    def _refused(self, errors: list[GraphQLError], *, not_by_get: bool = False) -> Answer:
        return Answer(self._json({"errors": [_formatted(e) for e in errors]}), False, True, not_by_get=not_by_get)

    def _json(self, body: dict) -> bytes:
        return orjson.dumps(body | {"extensions": self.extensions})


class _Invalid(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors


def _introspects(operation: OperationDefinitionNode) -> bool:
    return all(isinstance(s, FieldNode) and s.name.value.startswith("__") for s in operation.selection_set.selections)


def _which(document: DocumentNode, name: str | None) -> str:
    names = [d.name.value for d in document.definitions if isinstance(d, OperationDefinitionNode) and d.name]
    wrong = f"There is no operation {name!r}" if name else "operationName does not say which operation to run"
    return f"{wrong}: the document has {', '.join(names) or 'one without a name'}."


def _rename_old_scalars(document: DocumentNode) -> None:
    for definition in document.definitions:
        for variable in getattr(definition, "variable_definitions", None) or ():
            type_ = variable.type
            while not hasattr(type_, "name"):
                type_ = type_.type
            name = type_.name.value
            plain = name.removeprefix("Oso_")
            new = OLD_NAMES.get(plain, plain)
            if new in SCALARS:
                type_.name = NameNode(value=new, loc=type_.name.loc)


def _formatted(error: GraphQLError) -> dict:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error.formatted
    message = "The server failed at this field, not your request: try again, or tell who runs it."
    if isinstance(cause, TimeoutError):
        message = f"The answer took more than {MAX_SECONDS} s and was stopped: ask for less, or filter by the key."
    elif isinstance(cause, duckdb.OutOfRangeException):
        message = "A number that was computed here is out of the range of 64 bits: narrow the rows by `where`."
    else:
        log.error("GraphQL field %s failed", error.path, exc_info=cause)
    return error.formatted | {"message": message}
