"""The HTTP API against its own OpenAPI document: schemathesis asks a real server whatever it allows, and
much that it forbids.

DEBUG is on: what fails for a reason nobody foresaw shows at its most talkative.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from config import BASE_DIR
from tests.e2e.conftest import StartServer
from tests.e2e.servers import Seed, Server, clean_environment

HERE = Path(__file__).parent

# Enough to find again everything that was ever found this way, in a minute. More: EXAMPLES=500.
EXAMPLES = os.environ.get("EXAMPLES", "3")
DEADLINE_S = 240 if EXAMPLES == "3" else None


def test_the_api_is_as_its_document_says(start_embedded: StartServer, seed: Seed, tmp_path: Path) -> None:
    server = start_embedded(
        {
            "DEBUG": "1",
            "BROADCAST_EMIT_RATE": "100000",
            "BROADCAST_EMIT_BURST": "100000",
            "GATEWAY_POST_RATE": "100000",
            "GATEWAY_POST_BURST": "100000",
        }
    )
    schemathesis = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert schemathesis, "schemathesis is not installed beside this Python"
    result = subprocess.run(
        [
            schemathesis,
            f"--config-file={HERE / 'schemathesis.toml'}",
            "run",
            f"{server.url}/api/schema/",
            f"--header=Authorization: Bearer {seed.keys['site']}",
            # In several threads it trips over a fault of Python 3.11 (a SystemError in ast.parse).
            "--workers=1",
            f"--max-examples={EXAMPLES}",
            "--no-color",
        ],
        # It leaves files where it runs.
        cwd=tmp_path,
        env=clean_environment(
            {
                "PYTHONPATH": str(BASE_DIR),
                "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
                "GATEWAY_TOKEN": _register(server),
                "COLUMNS": "160",
            }
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    selected = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", result.stdout)
    assert selected, result.stdout
    assert len(set(selected.groups())) == 1, "some operations were left out"


def _register(server: Server) -> str:
    """The token of a new person of the gateway."""
    credentials = {"username": "ann", "password": "correct horse battery"}
    answer = httpx.post(f"{server.url}/api/v1/auth/register", json=credentials).raise_for_status()
    token: str = answer.json()["token"]
    return token
