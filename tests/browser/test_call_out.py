"""What the display is made of and needs no socket for: queue of calls, voice, board, layout."""

import pytest
from playwright.sync_api import Page

pytest_plugins = ["tests.browser.desk"]
pytestmark = pytest.mark.chromium

_SET_UP = """async () => {
  const folder = "/static/ticketing/";
  const files = ["call-out", "call-out-voice", "call-out-sound", "display-board", "display-layout"];
  for (const file of files) Object.assign(window, await import(`${folder}${file}.js`));
  window.turn = () => new Promise((resolve) => setTimeout(resolve));
  window.said = [];
  window.endings = [];
  // Announces by noting the call; the test says when that is over.
  window.makeQueue = (isCurrent) => new CallOut({
    isCurrent,
    announce: ({ id, table }) => {
      said.push(`${id}@${table}`);
      return new Promise((resolve, reject) => endings.push({ resolve, reject }));
    },
  });
  window.endCall = async (how = "resolve") => { endings.shift()[how](new Error("broken")); await turn(); };
}"""


@pytest.fixture
def console(page: Page, desk) -> Page:
    """A page of the desk without a socket, with the modules at hand."""
    page.goto(f"{desk.url}/ticketing/")
    page.evaluate(_SET_UP)
    return page


def call(console: Page, queue: str, *calls: tuple[int, int]) -> None:
    for ticket_id, table in calls:
        console.evaluate(f"{queue}.add({{ id: {ticket_id}, label: 'A', table: {table} }})")


def said(console: Page) -> list[str]:
    return console.evaluate("said")


# --- the queue --------------------------------------------------------------------------------------


def test_calls_wait_for_the_one_before_and_keep_their_order(console):
    console.evaluate("queue = makeQueue(() => true), null")
    call(console, "queue", (1, 0), (2, 1), (3, 2))
    assert said(console) == ["1@0"]
    for heard in (["1@0", "2@1"], ["1@0", "2@1", "3@2"], ["1@0", "2@1", "3@2"]):
        console.evaluate("endCall()")
        assert said(console) == heard
    call(console, "queue", (4, 0))
    assert said(console)[-1] == "4@0", "the queue goes on after it was empty"


def test_a_ticket_waits_once_and_for_its_latest_table(console):
    console.evaluate("queue = makeQueue(() => true), null")
    call(console, "queue", (1, 0), (2, 1), (3, 2), (2, 5), (1, 0))
    assert console.evaluate("queue.length") == 3
    for _ in range(4):
        console.evaluate("endCall()")
    assert said(console) == ["1@0", "2@5", "3@2", "1@0"], "the last is a call of its own: 1 was being said"


def test_who_was_finished_meanwhile_is_not_called_any_more(console):
    console.evaluate("held = new Set([1, 2, 3]), queue = makeQueue(({ id }) => held.has(id)), null")
    call(console, "queue", (1, 0), (2, 1), (3, 2))
    console.evaluate("held.delete(2), endCall()")
    assert said(console) == ["1@0", "3@2"]


def test_a_call_that_fails_does_not_silence_the_next(console, complaints):
    complaints.expect("Error: broken")
    console.evaluate("queue = makeQueue(() => true), null")
    call(console, "queue", (1, 0), (2, 1))
    console.evaluate("endCall('reject')")
    assert said(console) == ["1@0", "2@1"]


# --- the voice --------------------------------------------------------------------------------------

# An engine that only does what the test makes it do.
_ENGINE = """(voices) => {
  window.Utterance = class { constructor(text) { this.text = text; } };
  window.engine = {
    speaking: false, pending: false, paused: false, spoken: [], cancelled: 0,
    getVoices: () => voices.map((lang) => ({ lang, localService: lang.startsWith("de") })),
    speak(utterance) { this.spoken.push(utterance); },
    cancel() { this.cancelled += 1; },
    resume() { this.paused = false; },
  };
  window.voice = new Voice(engine, Utterance);
  window.speak = (text, language) => {
    window.how = "speaking";
    voice.say(text, language).then((how) => (window.how = how));
  };
}"""


@pytest.fixture
def voice(console: Page) -> Page:
    """Time stands still; an English and two German voices, of which one is of the network."""
    console.clock.install()
    console.clock.pause_at(console.evaluate("Date.now() + 1000"))
    console.evaluate(_ENGINE, ["en-US", "de_DE", "de-AT"])
    return console


def test_a_sentence_is_said_in_its_language_by_a_voice_for_it(voice):
    voice.evaluate("speak('A-017, bitte zu Tisch 3', 'de')")
    assert voice.evaluate("[engine.spoken[0].text, engine.spoken[0].voice.lang]") == [
        "A-017, bitte zu Tisch 3",
        "de_DE",
    ]
    assert voice.evaluate("how") == "speaking"
    voice.evaluate("engine.spoken[0].onend()")
    assert voice.evaluate("how") == "said"


def test_an_engine_that_never_says_that_it_is_done_is_given_time_for_the_text(voice):
    voice.evaluate("speak('x'.repeat(30), 'en')")
    voice.clock.run_for(4_000 + 30 * 140 - 1)
    assert voice.evaluate("how") == "speaking"
    voice.clock.run_for(1)
    assert voice.evaluate("[how, engine.cancelled]") == ["said", 1], "and cut off, so that none talk over it"


def test_without_any_voice_nobody_waits_for_long(voice):
    voice.evaluate(_ENGINE, [])
    voice.evaluate("speak('x'.repeat(300), 'en')")
    voice.clock.run_for(2_000)
    assert voice.evaluate("how") == "unheard"


def test_an_empty_list_of_voices_does_not_stop_an_engine_that_speaks(voice):
    voice.evaluate(_ENGINE, [])
    voice.evaluate("speak('hello', 'en'), engine.spoken[0].onstart()")
    voice.clock.run_for(3_000)
    assert voice.evaluate("how") == "speaking"


def test_a_language_without_a_voice_is_not_garbled_by_another(voice):
    voice.evaluate("speak('مرحبا', 'ar')")
    assert voice.evaluate("[how, engine.spoken.length, voice.speaks('ar'), voice.speaks('de')]") == [
        "unheard",
        0,
        False,
        True,
    ]


def test_a_browser_that_wants_a_touch_first_is_told_from_an_engine_that_fails(voice):
    for error, how in (("not-allowed", "blocked"), ("synthesis-failed", "unheard")):
        voice.evaluate("speak('hello', 'en')")
        voice.evaluate("(error) => engine.spoken.at(-1).onerror({ error })", error)
        assert voice.evaluate("how") == how


def test_what_another_sentence_left_behind_does_not_hold_up_this_one(voice):
    voice.evaluate("engine.speaking = engine.paused = true, speak('hello', 'en')")
    assert voice.evaluate("[engine.cancelled, engine.paused, engine.spoken.length]") == [1, False, 1]


# --- the board --------------------------------------------------------------------------------------


def tell(console: Page, *lines: str) -> list[str | None]:
    """Have `board` receive lines; the kinds of what they are."""
    return console.evaluate("(lines) => lines.map((line) => board.receive(line)?.kind ?? null)", list(lines))


SNAPSHOT = (
    'line {"waiting":2,"estimate_s":null}',
    'table {"number":0,"name":"Counter","state":"serving"}',
    'table {"number":2,"name":"","state":"free"}',
    "pick 0",
    "pick 2",
    'ticket {"id":7,"label":"A-007","table":0}',
    "claimed 0 7",
)


def shown(console: Page) -> list[list[object]]:
    return console.evaluate("board.tables.map((t) => [t.number, t.state, t.shown?.label ?? null])")


def test_a_snapshot_is_shown_once_it_is_whole_and_calls_nobody(console):
    console.evaluate("board = new Board(), board.begin()")
    assert tell(console, *SNAPSHOT, "call 0 7") == [None] * 8
    assert shown(console) == []
    assert tell(console, "ready") == ["ready"]
    assert shown(console) == [[0, "serving", "A-007"], [2, "free", None]]
    assert console.evaluate("[board.line, board.nameOf(0), board.isKnown]") == [
        {"waiting": 2, "estimateS": None},
        "Counter",
        True,
    ]
    # Another connection: what it tells replaces all of it, at its end.
    console.evaluate("board.begin()")
    tell(console, 'table {"number":2,"name":"","state":"offline"}')
    assert len(shown(console)) == 2
    tell(console, "ready")
    assert shown(console) == [[2, "offline", None]]


def test_every_line_changes_what_is_shown(console):
    console.evaluate("board = new Board(), board.begin()")
    tell(console, *SNAPSHOT, "ready", "complete 0")
    assert shown(console)[0] == [0, "free", None], "the number is gone even before the table's own line"
    tell(console, 'ticket {"id":8,"label":"A-008","table":2}', "claimed 2 8")
    assert shown(console)[1] == [2, "serving", "A-008"]
    assert tell(console, "call 2 8", "call 0 9") == ["call", "call"]
    tell(console, "cancel 2", "unpick 2")
    assert shown(console)[1] == [2, "offline", None]
    tell(console, 'table {"number":2,"name":"","state":"paused"}')
    assert shown(console)[1][1] == "paused"
    tell(console, 'table {"number":2,"name":"","state":"off"}')
    assert len(shown(console)) == 1, "a table nobody can pick is not shown"
    assert tell(console, "later {}", "") == [None, None], "a later version may say more"


def test_a_table_holds_what_it_has_not_finished(console):
    console.evaluate("board = new Board(), board.begin()")
    tell(console, *SNAPSHOT, "ready", "claimed 0 9")
    holds = "[7, 9].map((id) => board.holds({ id, table: 0 }))"
    assert console.evaluate(holds) == [True, True]
    tell(console, "complete 0", "claimed 0 7")
    assert console.evaluate(holds) == [True, False]
    tell(console, "unpick 0")
    assert console.evaluate(holds) == [False, False]


def test_chosen_tables_are_shown_in_their_order_and_only_they_call(console):
    console.evaluate("board = new Board([2, 0, 9]), board.begin()")
    tell(console, *SNAPSHOT, 'table {"number":1,"name":"","state":"free"}', "ready")
    assert [number for number, *_ in shown(console)] == [2, 0]
    assert tell(console, "claimed 1 8", "call 1 8") == ["changed", None]


# --- the layout -------------------------------------------------------------------------------------


def test_tiles_are_arranged_so_that_they_are_largest(console):
    places = "([count, width, height]) => Object.values(arrange(count, width, height))"
    for count, size, expected in [
        (1, (1100, 800), [1, 1]),
        (6, (1000, 830), [2, 3]),
        (24, (1100, 830), [4, 6]),
        (24, (1000, 950), [4, 6]),
        (4, (1800, 200), [4, 1]),
        (0, (1000, 800), [1, 1]),
    ]:
        assert console.evaluate(places, [count, *size]) == expected, count
    for count in range(1, 25):
        columns, rows = console.evaluate(places, [count, 1100, 830])
        assert columns * (rows - 1) < count <= columns * rows, count
