"""The JavaScript client and the server agree on what a close code means. Needs no browser."""

import json
import re
from pathlib import Path

from realtime.close_codes import CloseCode, describe

SOCKET_JS = Path(__file__).resolve().parents[2] / "realtime/static/realtime/socket.js"


def test_the_table_of_the_client_is_the_table_of_the_server():
    match = re.search(r"CLOSE_CODES = Object\.freeze\((\{.*?\n\})\)", SOCKET_JS.read_text(), re.DOTALL)
    assert match, "the table has moved"
    in_javascript = json.loads(match[1])
    assert in_javascript == {str(int(code)): describe(code)._asdict() for code in CloseCode}


def test_an_unknown_code_is_worth_an_attempt_on_both_sides():
    assert describe(4999).reconnect
    assert "?.reconnect ?? true" in SOCKET_JS.read_text()
