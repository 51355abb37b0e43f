"""Every error a person may see. The class says whether to retry; the text says what to do.

OpenImpactError
├── TryLater       RateLimited, Unavailable                     -> retry
├── FixNeeded      BadCredentials, ContractBroken, WindowRefused -> fail at once; SourceOff -> skipped
└── SuspectData    well formed, not believable                   -> fail, keep the last good data
"""

from datetime import datetime


class OpenImpactError(Exception):
    """Base of all errors of this project; `str()` is a sentence for a person."""


class TryLater(OpenImpactError):
    """The same call may succeed later."""


class RateLimited(TryLater):
    """An upstream's quota is spent; `retry_at` (aware UTC) says when it opens again, None if unknown."""

    def __init__(self, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class Unavailable(TryLater):
    """An upstream or a service of ours does not answer, or has not published yet."""


class FixNeeded(OpenImpactError):
    """A person must change something first."""


class BadCredentials(FixNeeded):
    """An upstream refused our credentials."""


class ContractBroken(FixNeeded):
    """An upstream answered in a shape that the source does not know."""


class WindowRefused(FixNeeded):
    """The asked days cannot be loaded by this source."""


class SourceOff(FixNeeded):
    """A source that works only with a connection of one's own has none; what depends on it is unknown, not zero."""


class SuspectData(OpenImpactError):
    """Data that is well formed but not believable; the former data was kept."""
