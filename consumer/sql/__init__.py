"""Ad-hoc SQL over a release, for strangers.

    text -> gate (Trino's syntax, published names) -> dialect (DuckDB) -> sandbox (a process each) -> HTTP, Trino's wire
                                                   -> cluster (the consumer's Trino, where a deployment has one)

Three fences stand one behind the other: gate.py lets only queries over published tables through, the engine's flags
allow neither writes nor anything outside the bundle, and sandbox.py's process has no files, no network and an end.
"""

from include.errors import FixNeeded


class QueryError(FixNeeded):
    """A statement that is not answered; the text is for who wrote it. `name` is Trino's name of the error."""

    def __init__(self, message: str, name: str = "NOT_SUPPORTED") -> None:
        super().__init__(message)
        self.name = name
