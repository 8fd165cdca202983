"""Schemathesis asks a real server whatever the API's OpenAPI document allows, and much that it forbids.

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
# About half of what there is to try, so that two processes can share it.
HALF = "^/api/(queue|v1|notifications)/"

# A few, the same each time, find again everything that was ever found this way. To find more: EXAMPLES=500,
# which are others each time, with every wrong type for every field.
EXAMPLES = os.environ.get("EXAMPLES", "")
AMOUNT = [f"--max-examples={EXAMPLES}"] if EXAMPLES else ["--max-examples=3", "--seed=1"]
DEADLINE_S = None if EXAMPLES else 240


def explore(start_embedded: StartServer, seed: Seed, folder: Path, *selection: str) -> None:
    """Try the operations that schemathesis' options select, on a server of their own."""
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
            "--no-color",
            *AMOUNT,
            *selection,
        ],
        # It leaves files where it runs.
        cwd=folder,
        env=clean_environment(
            {
                "PYTHONPATH": str(BASE_DIR),
                "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks",
                "GATEWAY_TOKEN": _register(server),
                "EXAMPLES": EXAMPLES,
                "COLUMNS": "160",
            }
        ),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    done = re.search(r"Selected: (\d+)/\d+\s+Tested: (\d+)", result.stdout)
    assert done, result.stdout
    selected, tested = map(int, done.groups())
    assert 0 < selected == tested, "some operations were left out"


def _register(server: Server) -> str:
    """The token of a new person of the gateway."""
    credentials = {"username": "ann", "password": "correct horse battery"}
    answer = httpx.post(f"{server.url}/api/v1/auth/register", json=credentials).raise_for_status()
    token: str = answer.json()["token"]
    return token
