"""One half of the HTTP API against its own OpenAPI document; see `tests.e2e.exploring`."""

from pathlib import Path

from tests.e2e.conftest import StartServer
from tests.e2e.exploring import HALF, explore
from tests.e2e.servers import Seed


def test_the_api_is_as_its_document_says(start_embedded: StartServer, seed: Seed, tmp_path: Path) -> None:
    explore(start_embedded, seed, tmp_path, f"--exclude-path-regex={HALF}")
