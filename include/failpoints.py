"""Places where a test may kill the process, to prove that a kill leaves no half-landed day."""

import os

EXIT_CODE = 70


def failpoint(name: str) -> None:
    """Ends the process at once, as a power cut would, if OPENIMPACT_FAILPOINT names this place."""
    if os.environ.get("OPENIMPACT_FAILPOINT") == name:
        os._exit(EXIT_CODE)
