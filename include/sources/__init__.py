"""The registry of sources: every module in this folder that has a SOURCE."""

import importlib
import pkgutil
from functools import cache

from include.errors import FixNeeded
from include.sources.base import Source


@cache
def _registry() -> dict[str, Source]:
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_") or module.name == "base":
            continue
        source = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SOURCE", None)
        if isinstance(source, Source):
            found[source.name] = source
    return found


def all_sources() -> list[Source]:
    """Every registered source, by name."""
    return [source for _, source in sorted(_registry().items())]


def get_source(name: str) -> Source:
    """The source of that name.

    Raises:
        FixNeeded: there is none; the message lists the known names.
    """
    try:
        return _registry()[name]
    except KeyError:
        raise FixNeeded(f"No source is called {name!r}; known are {', '.join(sorted(_registry()))}.") from None
