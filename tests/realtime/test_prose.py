"""Docstrings as HTML."""

import pytest

from realtime.templatetags.prose import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("One line.", "<p>One line.</p>"),
        ("Two lines,\n    one paragraph.", "<p>Two lines, one paragraph.</p>"),
        ("One.\n\n\n  Two.\n", "<p>One.</p><p>Two.</p>"),
        ("Answer with `Pong`.", "<p>Answer with <code>Pong</code>.</p>"),
        (
            "More than ``LIMIT``, `a` or `b`",
            "<p>More than <code>LIMIT</code>, <code>a</code> or <code>b</code></p>",
        ),
        ("A lone ` stays", "<p>A lone ` stays</p>"),
        ("<script> & `<b>`", "<p>&lt;script&gt; &amp; <code>&lt;b&gt;</code></p>"),
    ],
)
def test_paragraphs_and_code(text: str, html: str) -> None:
    assert prose(text) == html
