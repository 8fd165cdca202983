"""Text as our docstrings are written, for a page: paragraphs, and names between backticks as code."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_code = re.compile(r"(`+)(.+?)\1")
_blank_lines = re.compile(r"\n\s*\n")


@register.filter
def prose(text: str) -> SafeString:
    """``"Answer with `Pong`."`` as ``<p>Answer with <code>Pong</code>.</p>``.

    The lines of a paragraph are joined: where they end says only how wide the source is. What looks
    like markup in the text is escaped.
    """
    paragraphs = [" ".join(part.split()) for part in _blank_lines.split(text.strip())]
    marked_up = [_code.sub(r"<code>\2</code>", escape(part)) for part in paragraphs if part]
    html = "".join(f"<p>{part}</p>" for part in marked_up)
    return mark_safe(html)  # noqa: S308 (escaped above)
