"""When the garbage collector stops the process, and for how long."""

import gc

# A full collection is considered after this many times a hundred new objects, and made when a quarter
# of what lives is new: garbage of a few thousand closed connections may wait for it, not more.
COLLECT_AFTER = 5_000


def collect_garbage_rarely() -> None:
    """Spare a process that has finished loading the collector's longest stops.

    A full collection walks every object there is, and nobody is served meanwhile: measured at 70 to
    100 ms, most of it for code and settings, which live as long as the process. They are set aside
    here, for good. Call it once, when everything is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)
