"""The garbage collector of a process that serves: it looks at what requests make, not at the process itself."""

import gc


def settle_heap() -> None:
    """Take everything that is there now out of the collector's sight; to be called once, when a process has started.

    Modules, schemas and connections live as long as the process does. To walk through them takes a tenth of a second
    each time, in which nobody is answered. What is made later is collected as ever.
    """
    gc.collect()
    gc.freeze()
