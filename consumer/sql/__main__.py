"""The process of a sandbox, started by workers.py: python -m consumer.sql leaves the network, then serves."""

import ctypes

NEW_USER_AND_NETWORK = 0x50000000  # of Linux' unshare; the new user has no right beyond those of the old one


def no_network() -> bool:
    """Leaves the network for an empty one; returns whether the kernel lets us. The sandbox holds without it, too."""
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    return bool(unshare) and unshare(NEW_USER_AND_NETWORK) == 0


if __name__ == "__main__":
    no_network()  # first of all, for a process with threads may not

    from consumer.sql.sandbox import main

    main()
