"""The page for people who wait: in their language, on their screen, with what they use to read it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.queue_fake import FakeLine
from tests.browser.test_accessibility import _OUTSIDE, violations

pytestmark = pytest.mark.chromium
pytest_plugins = ["tests.browser.queue_line"]

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3

# Every state of the page: what leads to it, and what says that it is there.
STATES = {
    "waiting": (lambda line: line.tell_stats(message=LONG, headPosition=8), "#message"),
    "next": (lambda line: line.tell_stats(headPosition=12), "#panel-waiting"),
    "far back": (lambda line: line.give_ticket(position=1_234_567), "#panel-waiting"),
    "paused": (lambda line: line.tell_stats(paused=True), "#notice"),
    "trouble": (lambda line: line.turn_away(503, "x"), "#notice"),
    "lost": (lambda line: line.lose(), "#notice"),
    "in": (lambda line: line.let_in(), "#panel-in"),
    "refused": (lambda line: line.turn_away(403, LONG), "#panel-refused"),
    "removed": (lambda line: line.say_error("REMOVED"), "#panel-removed"),
    "replaced": (lambda line: line.lose(4009), "#panel-replaced"),
}
# A phone, a desk, 1280 wide at 200 % and 400 % zoom, and a phone held sideways.
SIZES = [(390, 844), (1280, 800), (640, 400), (320, 256), (844, 390)]


def open_in(page: Page, address: str, state: str) -> FakeLine:
    """The page in one of STATES."""
    line = FakeLine(page)
    page.goto(address)
    expect(page.locator("#panel-waiting")).to_be_visible()
    lead, sign = STATES[state]
    if state == "lost":
        line.answers = False
    lead(line)
    expect(page.locator(sign)).to_be_visible()
    return line


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_has_no_objection_in_any_state(new_context, one_queue, state, scheme):
    page = new_context(color_scheme=scheme, viewport={"width": 390, "height": 844}).new_page()
    open_in(page, one_queue.page, state)
    assert violations(page) == []


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_off_on_any_screen_in_any_language(page, one_queue, state):
    open_in(page, one_queue.page, state)
    for language in ("English", "Deutsch", "العربية"):
        page.get_by_role("button", name=language).click()
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (language, width)
            assert page.evaluate(_OUTSIDE) == [], (language, width)


def test_on_a_phone_the_place_needs_no_scrolling(new_context, one_queue):
    page = new_context(viewport={"width": 390, "height": 844}).new_page()
    line = open_in(page, one_queue.page, "paused")
    line.tell_stats(paused=False)
    expect(page.locator("#notice")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert page.locator("#place-number").bounding_box()["height"] > 80


@pytest.mark.parametrize(
    ("locale", "query", "heading", "direction"),
    [
        ("en-GB", "", "You are number 12 in line", "ltr"),
        ("de-AT", "", "Sie sind Nummer 12 in der Schlange", "ltr"),
        ("ar-EG", "", "رقمك في الطابور 12", "rtl"),
        ("fr-FR", "", "You are number 12 in line", "ltr"),  # the first there is
        ("en-GB", "?lang=ar", "رقمك في الطابور 12", "rtl"),
        ("de-DE", "?lang=xx", "Sie sind Nummer 12 in der Schlange", "ltr"),
    ],
)
def test_it_speaks_the_browsers_language_or_that_of_the_link(
    new_context, one_queue, locale, query, heading, direction
):
    page = new_context(locale=locale).new_page()
    FakeLine(page)
    page.goto(one_queue.page + query)
    expect(page.locator("#place-title")).to_contain_text("12")
    assert " ".join(page.locator("#place-title").inner_text().split()) == heading
    expect(page.locator("html")).to_have_attribute("dir", direction)


def test_the_language_that_was_chosen_stays(new_context, one_queue):
    page = new_context(locale="de-DE").new_page()
    line = FakeLine(page, position=3)
    page.goto(one_queue.page)
    expect(page.locator("#ahead")).to_have_text("2 Personen sind vor Ihnen")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("#ahead")).to_have_text("أمامك شخصان")
    expect(page.locator("live-state")).to_contain_text("متصل مباشرةً منذ")
    page.reload()
    expect(page.locator("#ahead")).to_have_text("أمامك شخصان")
    # The way to the front goes the way one reads, and a message the way it was written.
    line.tell_stats(message="Back at eight.", headPosition=2)
    expect(page.locator("#message-text")).to_have_css("direction", "ltr")
    begin, front = page.locator("#way-from"), page.locator(".way__ends > :last-child")
    assert begin.bounding_box()["x"] > front.bounding_box()["x"]


def test_every_language_has_the_same_words(page, one_queue):
    """The same keys and values in each file, and a text for each plural form of the language."""
    FakeLine(page)
    page.goto(one_queue.page)
    problems = page.evaluate("""async () => {
      const codes = JSON.parse(document.getElementById("page-data").textContent).languages;
      const problems = [];
      const names = (text) => [...new Set(text.match(/\\{\\w+\\}/g))].sort().join();
      const files = await Promise.all(codes.map((code) => import(`/static/queue/words/${code}.js`)));
      for (const block of ["common", "wait"]) {
        const reference = files[0].default[block];
        codes.forEach((code, index) => {
          const words = files[index].default[block];
          for (const key of new Set([...Object.keys(reference), ...Object.keys(words)])) {
            const [ours, theirs] = [words[key], reference[key]];
            const where = `${code}: ${block}.${key}`;
            if (typeof ours !== typeof theirs) problems.push(`${where} is not in every file`);
            else if (typeof ours === "string") {
              if (!ours.trim() || names(ours) !== names(theirs)) problems.push(`${where} has other values`);
            } else {
              const forms = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
              if ([...forms].sort().join() !== Object.keys(ours).sort().join()) {
                problems.push(`${where} has not the forms ${forms}`);
              }
              if (names(ours.other) !== names(theirs.other)) problems.push(`${where} has other values`);
            }
          }
        });
      }
      return problems;
    }""")
    assert problems == []


def test_everything_is_done_with_the_keyboard_and_is_seen_to_be(page, one_queue):
    FakeLine(page)
    page.goto(one_queue.page)
    expect(page.locator("#panel-waiting")).to_be_visible()
    seen = []
    for _ in range(5):
        page.keyboard.press("Tab")
        focused = page.locator(":focus-visible")
        seen.append(focused.inner_text().strip())
        assert focused.evaluate("(element) => getComputedStyle(element).outlineStyle") == "solid", seen
    assert seen == ["Skip to the content", "English", "Deutsch", "العربية", "Tell me when it is my turn"]


def test_the_way_moves_only_for_those_who_like_it(new_context, one_queue):
    for motion, moves in (("reduce", False), ("no-preference", True)):
        page = new_context(reduced_motion=motion).new_page()
        open_in(page, one_queue.page, "next")
        query = "matchMedia('(prefers-reduced-motion: no-preference)').matches"
        assert page.evaluate(query) is moves
        assert moves or page.evaluate("document.getAnimations().length") == 0
