"""Settings and composition of the site.

Importing this package also makes ``queue/`` importable. Our login queue lives in a folder named
``queue``, the name of a standard library module that asyncio, ``concurrent.futures`` and redis
need. The standard module stays what ``import queue`` gives; it is only given a search path, so
that ``queue.models`` and its neighbours resolve to our folder. This package is imported before
any of ours (it holds the settings and the ASGI application), which is why it is done here.
"""

from pathlib import Path

import queue

BASE_DIR = Path(__file__).resolve().parent.parent


def extend_standard_queue(folder: Path) -> None:
    """Let ``queue.<name>`` resolve to modules in `folder`; ``queue`` itself stays the standard module.

    Raises:
        RuntimeError: `folder` holds an ``__init__.py``. From the project root it would shadow the
            standard module for every library in the process.
    """
    if (folder / "__init__.py").exists():
        raise RuntimeError(
            f"{folder / '__init__.py'} must not exist: it would shadow the standard library's "
            "queue module. Remove the file; the folder works without it."
        )
    queue.__path__ = [str(folder)]


extend_standard_queue(BASE_DIR / "queue")
