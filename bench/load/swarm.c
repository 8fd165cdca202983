/* swarm: thousands of WebSocket listeners and a paced HTTP emitter in one process, one thread.
 *
 *   swarm ADDRESS PORT
 *
 * Reads commands from standard input, one a line, and answers each with one line of JSON:
 *
 *   listen PATH COUNT WINDOW         open COUNT more listeners, WINDOW handshakes at a time
 *   stall COUNT                      stop reading on the first COUNT listeners
 *   say ANSWER TEXT                  from now on listeners say TEXT when they are connected, and are open
 *                                    when a frame with ANSWER in it has come; given several times, they
 *                                    take turns with the texts
 *   then TEXT                        they say this as well, at once after it
 *   header NAME: VALUE               sent with every emit from now on
 *   wrap BEFORE AFTER                put around every event from now on, not counted in BYTES; given several
 *                                    times, events take turns with them
 *   quote                            events are text within JSON from now on: their quotes are escaped
 *   emit PATH BYTES WARMUP_S SECONDS RATE INFLIGHT SENDERS
 *                                    POST events of BYTES bytes over SENDERS keep-alive connections
 *                                    and count what the listeners get; with no SENDERS somebody else
 *                                    posts, and it is only counted
 *   rest SECONDS                     do nothing but answer heartbeats, for so long
 *   drain                            read the stalled listeners to their end: "closed" are those
 *                                    that the server has hung up on, "reset" those it cut off, the
 *                                    others had to be read empty before that could be seen
 *   quit
 *
 * An event is {"ns":<CLOCK_MONOTONIC when it was due>,"pad":"xxx"}. A frame holding "ns": anywhere
 * is a delivery, whatever the server wraps around it. Latency is the time from the stamp to the
 * recv() that brought the frame's last byte.
 *
 * Heartbeats are those of the gateway ({"op":10,"time":...}) and of broadcast ("type":"PING"); "beats" counts
 * the former, "busiest" those of the second that had most.
 *
 * RATE > 0 is an open loop: event i is due at start + i / RATE and stamped so, also when no sender
 * was free then; a server that falls behind cannot slow the clock down. RATE 0 is a closed loop:
 * at most INFLIGHT events not yet received by every listener (without listeners: not yet answered).
 *
 * Before the measured window an event line {"event":"measuring"} is printed, after it
 * {"event":"measured"}, so that whoever started us can sample the server's CPU time.
 *
 * Connections come from 127.0.0.2 up, 4,000 to an address, so local ports never run out.
 */
#define _GNU_SOURCE
#include <sys/timerfd.h>

#include "clock.h"
#include "dial.h"
#include "frames.h"
#include "histogram.h"
#include "http.h"
#include "inbox.h"
#include "loop.h"

#define MAX_SENDERS 256
#define BUFFER_BYTES (512 * 1024)
#define HANDSHAKE_TIMEOUT_NS 300000000000ull
#define MAX_TEXTS 16384
#define MAX_SAID 1024
#define MAX_REST_S 3600

enum kind { LISTENER, SENDER, TIMER };
enum state { CONNECTING, UPGRADING, GREETING, OPEN, STALLED, CLOSED };

struct listener {
    enum kind kind;
    int fd;
    enum state state;
    int was_reset, close_code;
    unsigned index;
    struct inbox inbox;
    uint64_t started_ns, stalled_ns, closed_ns;
};

struct sender {
    enum kind kind;
    int fd, connecting, busy;
    uint64_t due_ns;
    size_t length;
    char buffer[16384];
};

static uint8_t *buffer;

static struct listener **listeners;
static unsigned listener_count, opened, failed, active, stalled, lost;
static char listen_request[1024];
static char *texts[MAX_TEXTS], greeting_answer[64], then_text[MAX_SAID];
static unsigned text_count;
static uint64_t beats, rest_from_ns;
static unsigned *beats_of_second;
static struct histogram handshakes;

static struct sender senders[MAX_SENDERS];
static unsigned sender_count, wanted_senders;
static enum kind timer_kind = TIMER;
static int timer;
static char emit_path[512], extra_headers[1024];
static struct wrapping {
    char before[128], after[64];
} *wrappings;
static unsigned wrapping_count;
static unsigned event_bytes, inflight_limit;
static uint64_t due, sent, delivered, answered, refused, sender_errors, wire_bytes;
static uint64_t first_due_ns, interval_ns, window_from_ns, window_to_ns;
static int emitting;
static const char *stamp_key = "\"ns\":", *quote = "\"";
static size_t stamp_hint;
static struct histogram latencies, answers;

/* --- listeners --------------------------------------------------------------------------------- */

static void listener_close(struct listener *listener)
{
    if (listener->state == CLOSED)
        return;
    if (listener->state == OPEN) {
        active--;
        lost++;
    } else if (listener->state != STALLED) {
        failed++;
    }
    listener->state = CLOSED;
    listener->closed_ns = now_ns();
    close(listener->fd);
    inbox_keep(&listener->inbox, NULL, 0);
}

static void listener_start(void)
{
    struct listener *listener = calloc(1, sizeof *listener);
    listeners = realloc(listeners, (listener_count + 1) * sizeof *listeners);
    if (!listener || !listeners)
        die("listener");
    listener->kind = LISTENER;
    listener->started_ns = now_ns();
    listener->fd = dial_begin(listener_count);
    listener->index = listener_count;
    listeners[listener_count++] = listener;
    if (listener->fd < 0) {
        listener->state = CLOSED;
        failed++;
        return;
    }
    watch(EPOLL_CTL_ADD, listener->fd, EPOLLOUT, listener);
}

static void listener_opened(struct listener *listener, uint64_t now)
{
    listener->state = OPEN;
    opened++;
    active++;
    histogram_add(&handshakes, (now - listener->started_ns) / 1000);
}

static void listener_say(struct listener *listener, const char *text, size_t length)
{
    uint8_t frame[MAX_SAID + 8];
    size_t size = frame_write(frame, OPCODE_TEXT, text, length);
    (void)!send(listener->fd, frame, size, MSG_NOSIGNAL);
}

/* {"op":10,"time":...} comes, {"op":11,"time":...} is the answer. */
static void listener_beat(struct listener *listener, const struct frame *frame, uint64_t now)
{
    char text[125];
    if (frame->length > sizeof text)
        return;
    memcpy(text, frame->payload, frame->length);
    text[7] = '1';
    listener_say(listener, text, frame->length);
    beats++;
    if (beats_of_second && now >= rest_from_ns)
        beats_of_second[(now - rest_from_ns) / 1000000000ull % MAX_REST_S]++;
}

static void listener_frame(struct listener *listener, const struct frame *frame, uint64_t now)
{
    static const char ping[] = "\"type\":\"PING\"", pong[] = "{\"type\":\"PONG\"}", beat[] = "{\"op\":10,";
    uint8_t reply[160];
    if (listener->state == GREETING) {
        if (memmem(frame->payload, frame->length, greeting_answer, strlen(greeting_answer)))
            listener_opened(listener, now);
    } else if (frame->opcode == OPCODE_TEXT) {
        uint64_t stamp = frame_stamp(frame, stamp_key, &stamp_hint);
        if (stamp) {
            delivered++;
            wire_bytes += frame->length;
            if (stamp >= window_from_ns && stamp < window_to_ns)
                histogram_add(&latencies, now > stamp ? (now - stamp) / 1000 : 0);
        } else if (frame->length > sizeof beat && !memcmp(frame->payload, beat, sizeof beat - 1)) {
            listener_beat(listener, frame, now);
        } else if (memmem(frame->payload, frame->length, ping, sizeof ping - 1)) {
            listener_say(listener, pong, sizeof pong - 1);
        }
    } else if (frame->opcode == OPCODE_PING && frame->length <= 125) {
        size_t length = frame_write(reply, OPCODE_PONG, frame->payload, frame->length);
        (void)!send(listener->fd, reply, length, MSG_NOSIGNAL);
    } else if (frame->opcode == OPCODE_CLOSE) {
        if (frame->length >= 2)
            listener->close_code = frame->payload[0] << 8 | frame->payload[1];
    }
}

/* Takes the complete messages at the start of data; returns the bytes taken, -1 to hang up. */
static ssize_t listener_take(struct listener *listener, const uint8_t *data, size_t length, uint64_t now)
{
    size_t taken = 0;
    if (listener->state == UPGRADING) {
        struct response response;
        int complete = http_read((const char *)data, length, &response);
        if (complete < 0 || (complete && response.status != 101))
            return -1;
        if (!complete)
            return 0;
        taken = response.length;
        if (text_count) {
            const char *text = texts[listener->index % text_count];
            listener->state = GREETING;
            listener_say(listener, text, strlen(text));
            if (*then_text)
                listener_say(listener, then_text, strlen(then_text));
        } else {
            listener_opened(listener, now);
        }
    }
    struct frame frame;
    while (taken < length) {
        ssize_t size = frame_read(data + taken, length - taken, &frame);
        if (size < 0)
            return -1;
        if (!size)
            break;
        listener_frame(listener, &frame, now);
        taken += (size_t)size;
    }
    return (ssize_t)taken;
}

static void listener_readable(struct listener *listener)
{
    ssize_t got = inbox_receive(&listener->inbox, listener->fd, buffer, BUFFER_BYTES);
    if (got <= 0) {
        if (got == INBOX_NOTHING)
            return;
        listener->was_reset = got == INBOX_RESET;
        listener_close(listener);
        return;
    }
    size_t have = (size_t)got;
    ssize_t taken = listener_take(listener, buffer, have, now_ns());
    if (taken < 0 || have - (size_t)taken >= BUFFER_BYTES - 1) {
        listener_close(listener);
        return;
    }
    inbox_keep(&listener->inbox, buffer + taken, have - (size_t)taken);
}

static void listener_event(struct listener *listener, uint32_t events)
{
    if (listener->state == CLOSED)
        return;
    if (listener->state == CONNECTING) {
        size_t length = strlen(listen_request);
        if ((events & (EPOLLERR | EPOLLHUP)) ||
            send(listener->fd, listen_request, length, MSG_NOSIGNAL) != (ssize_t)length) {
            listener_close(listener);
            return;
        }
        listener->state = UPGRADING;
        watch(EPOLL_CTL_MOD, listener->fd, EPOLLIN | EPOLLET, listener);
    } else if (listener->state == STALLED) {
        listener->was_reset = 1;
        listener_close(listener);
    } else {
        listener_readable(listener);
    }
}

/* --- senders ----------------------------------------------------------------------------------- */

static void sender_open(struct sender *sender)
{
    sender->kind = SENDER;
    sender->busy = 0;
    sender->length = 0;
    sender->connecting = 1;
    sender->fd = dial_begin((unsigned)(sender - senders));
    if (sender->fd < 0)
        die("connect");
    watch(EPOLL_CTL_ADD, sender->fd, EPOLLOUT, sender);
}

static void sender_reopen(struct sender *sender)
{
    if (sender->busy || sender->connecting)
        sender_errors++;
    close(sender->fd);
    if (sender_errors > 1000) {
        printf("{\"error\":\"the server closes or refuses the emitting connections\"}\n");
        exit(1);
    }
    sender_open(sender);
}

static void sender_post(struct sender *sender, uint64_t due_ns)
{
    static const struct wrapping none;
    const struct wrapping *around = wrapping_count ? &wrappings[sent % wrapping_count] : &none;
    char request[8192];
    char body[4096];
    int head = snprintf(body, sizeof body, "{%sns%s:%llu,%spad%s:%s", quote, quote, (unsigned long long)due_ns,
                        quote, quote, quote);
    int tail = (int)strlen(quote) + 1;
    int size = (int)event_bytes > head + tail ? (int)event_bytes : head + tail;
    memset(body + head, 'x', (size_t)(size - head));
    memcpy(body + size - tail, quote, (size_t)tail - 1);
    body[size - 1] = '}';
    int length = snprintf(request, sizeof request,
                          "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n%s"
                          "Content-Length: %d\r\n\r\n%s%.*s%s",
                          emit_path, inet_ntoa(server.sin_addr), ntohs(server.sin_port), extra_headers,
                          size + (int)(strlen(around->before) + strlen(around->after)), around->before, size, body,
                          around->after);
    sender->busy = 1;
    sender->due_ns = due_ns;
    if (send(sender->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        sender_reopen(sender);
}

static void sender_readable(struct sender *sender)
{
    ssize_t got = recv(sender->fd, sender->buffer + sender->length,
                       sizeof sender->buffer - 1 - sender->length, 0);
    if (got <= 0) {
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        sender_reopen(sender);
        return;
    }
    sender->length += (size_t)got;
    sender->buffer[sender->length] = 0;
    struct response response;
    int complete = http_read(sender->buffer, sender->length, &response);
    if (complete < 0 || sender->length >= sizeof sender->buffer - 1) {
        sender_reopen(sender);
        return;
    }
    if (!complete)
        return;
    if (response.status / 100 == 2)
        answered++;
    else
        refused++;
    if (sender->due_ns >= window_from_ns && sender->due_ns < window_to_ns)
        histogram_add(&answers, (now_ns() - sender->due_ns) / 1000);
    sender->busy = 0;
    sender->length = 0;
    if (response.closes)
        sender_reopen(sender);
}

static void sender_event(struct sender *sender, uint32_t events)
{
    if (sender->connecting) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            sender_reopen(sender);
            return;
        }
        sender->connecting = 0;
        watch(EPOLL_CTL_MOD, sender->fd, EPOLLIN, sender);
    } else {
        sender_readable(sender);
    }
}

static void emit_what_is_due(void)
{
    for (unsigned i = 0; emitting && i < sender_count; i++) {
        struct sender *sender = &senders[i];
        if (sender->busy || sender->connecting)
            continue;
        if (interval_ns) {
            if (sent >= due)
                return;
            sender_post(sender, first_due_ns + sent * interval_ns);
        } else {
            if (active && (int64_t)(sent - delivered / active) >= (int64_t)inflight_limit)
                return;
            sender_post(sender, now_ns());
        }
        sent++;
    }
}

/* --- the loop ---------------------------------------------------------------------------------- */

static void pump(int timeout_ms)
{
    struct epoll_event events[512];
    int count = epoll_wait(poller, events, 512, timeout_ms);
    for (int i = 0; i < count; i++) {
        enum kind *kind = events[i].data.ptr;
        if (*kind == LISTENER) {
            listener_event((struct listener *)kind, events[i].events);
        } else if (*kind == SENDER) {
            sender_event((struct sender *)kind, events[i].events);
            emit_what_is_due();
        } else {
            uint64_t ticks;
            if (read(timer, &ticks, sizeof ticks) == sizeof ticks) {
                due += ticks;
                emit_what_is_due();
            }
        }
    }
    emit_what_is_due();
}

static void pump_until(uint64_t end_ns)
{
    for (uint64_t now = now_ns(); now < end_ns; now = now_ns()) {
        uint64_t left_ms = (end_ns - now) / 1000000;
        pump(left_ms < 100 ? (int)left_ms : 100);
    }
}

static void command_listen(const char *path, unsigned count, unsigned window)
{
    dial_request(listen_request, sizeof listen_request, path, "");
    histogram_reset(&handshakes);
    opened = failed = 0;
    unsigned started = 0;
    uint64_t start = now_ns();
    while (opened + failed < count && now_ns() - start < HANDSHAKE_TIMEOUT_NS) {
        while (started < count && started - opened - failed < window) {
            listener_start();
            started++;
        }
        pump(1000);
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    printf("{\"opened\":%u,\"failed\":%u,\"seconds\":%.4f,\"handshake\":", opened, count - opened, seconds);
    histogram_print(&handshakes);
    printf("}\n");
}

static void command_stall(unsigned count)
{
    unsigned done = 0;
    for (unsigned i = 0; i < listener_count && done < count; i++) {
        struct listener *listener = listeners[i];
        if (listener->state != OPEN)
            continue;
        listener->state = STALLED;
        listener->stalled_ns = now_ns();
        active--;
        stalled++;
        done++;
        watch(EPOLL_CTL_MOD, listener->fd, 0, listener); /* errors and resets are still reported */
    }
    printf("{\"stalled\":%u,\"active\":%u}\n", stalled, active);
}

static void command_emit(double warmup_s, double seconds, double rate)
{
    int off = 0;
    while (sender_count)
        close(senders[--sender_count].fd);
    for (; sender_count < wanted_senders; sender_count++)
        sender_open(&senders[sender_count]);
    for (unsigned ready = 0; ready < sender_count;) {
        pump(100);
        ready = 0;
        for (unsigned i = 0; i < sender_count; i++)
            ready += !senders[i].connecting;
    }
    for (unsigned i = 0; i < listener_count; i++)
        if (listeners[i]->state == OPEN)
            setsockopt(listeners[i]->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
    histogram_reset(&latencies);
    histogram_reset(&answers);
    due = sent = delivered = answered = refused = sender_errors = wire_bytes = 0;
    lost = 0;
    unsigned listening = active;
    interval_ns = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
    first_due_ns = now_ns() + 1000000;
    window_from_ns = first_due_ns + (uint64_t)(warmup_s * 1e9);
    window_to_ns = window_from_ns + (uint64_t)(seconds * 1e9);
    emitting = 1;
    if (interval_ns)
        arm_timer(timer, first_due_ns, interval_ns);

    pump_until(window_from_ns);
    printf("{\"event\":\"measuring\"}\n");
    uint64_t from_ns = now_ns(), sent_0 = sent, delivered_0 = delivered, bytes_0 = wire_bytes;
    uint64_t answered_0 = answered;
    double cpu_0 = cpu_s();
    pump_until(window_to_ns);
    double elapsed = (double)(now_ns() - from_ns) / 1e9, cpu = cpu_s() - cpu_0;
    uint64_t sent_1 = sent - sent_0, delivered_1 = delivered - delivered_0, bytes_1 = wire_bytes - bytes_0;
    uint64_t answered_1 = answered - answered_0;
    uint64_t late = interval_ns ? due - sent : 0;
    printf("{\"event\":\"measured\"}\n");

    emitting = 0;
    if (interval_ns)
        arm_timer(timer, 0, 0);
    uint64_t give_up = now_ns() + 5000000000ull, last = delivered;
    for (uint64_t quiet = now_ns() + 1000000000ull; now_ns() < give_up && now_ns() < quiet;) {
        pump(20);
        unsigned busy = 0;
        for (unsigned i = 0; i < sender_count; i++)
            busy += (unsigned)senders[i].busy;
        if (sender_count && !busy && delivered >= answered * (active + 0ull))
            break;
        if (delivered != last) {
            last = delivered;
            quiet = now_ns() + 1000000000ull;
        }
    }
    printf("{\"seconds\":%.4f,\"listeners\":%u,\"sent\":%llu,\"answered\":%llu,\"deliveries\":%llu,"
           "\"frame_bytes\":%.1f,\"generator_cpu\":%.4f,\"behind\":%llu,\"total_answered\":%llu,"
           "\"total_deliveries\":%llu,\"refused\":%llu,\"sender_errors\":%llu,\"lost_listeners\":%u,"
           "\"latency\":",
           elapsed, listening, (unsigned long long)sent_1, (unsigned long long)answered_1,
           (unsigned long long)delivered_1, delivered_1 ? (double)bytes_1 / (double)delivered_1 : 0.0,
           cpu / elapsed, (unsigned long long)late, (unsigned long long)answered,
           (unsigned long long)delivered, (unsigned long long)refused,
           (unsigned long long)sender_errors, lost);
    histogram_print(&latencies);
    printf(",\"answer\":");
    histogram_print(&answers);
    printf("}\n");
}

static void command_rest(double seconds)
{
    static unsigned counts[MAX_REST_S];
    memset(counts, 0, sizeof counts);
    beats = lost = 0;
    printf("{\"event\":\"measuring\"}\n");
    rest_from_ns = now_ns();
    beats_of_second = counts;
    double cpu = cpu_s();
    pump_until(rest_from_ns + (uint64_t)(seconds * 1e9));
    double elapsed = (double)(now_ns() - rest_from_ns) / 1e9;
    cpu = cpu_s() - cpu;
    beats_of_second = NULL;
    printf("{\"event\":\"measured\"}\n");
    unsigned busiest = 0;
    for (unsigned second = 0; second < MAX_REST_S; second++)
        busiest = counts[second] > busiest ? counts[second] : busiest;
    printf("{\"seconds\":%.4f,\"listeners\":%u,\"beats\":%llu,\"busiest\":%u,\"lost_listeners\":%u,"
           "\"generator_cpu\":%.4f}\n",
           elapsed, active, (unsigned long long)beats, busiest, lost, cpu / elapsed);
}

static void command_drain(void)
{
    unsigned closed_while_stalled = 0, codes_sent = 0, reset = 0, kept = 0, count = 0;
    int last_code = 0;
    uint64_t longest_ns = 0, got_before = delivered;
    for (unsigned i = 0; i < listener_count; i++) {
        struct listener *listener = listeners[i];
        if (!listener->stalled_ns)
            continue;
        if (listener->state == CLOSED) {
            closed_while_stalled++;
            if (listener->closed_ns - listener->stalled_ns > longest_ns)
                longest_ns = listener->closed_ns - listener->stalled_ns;
        } else {
            listener->state = OPEN;
            active++;
            stalled--;
            watch(EPOLL_CTL_MOD, listener->fd, EPOLLIN, listener);
        }
    }
    for (uint64_t last = delivered, quiet = now_ns() + 500000000ull; now_ns() < quiet;) {
        pump(20);
        if (delivered != last) {
            last = delivered;
            quiet = now_ns() + 500000000ull;
        }
    }
    for (unsigned i = 0; i < listener_count; i++) {
        struct listener *listener = listeners[i];
        if (!listener->stalled_ns)
            continue;
        count++;
        kept += listener->state == OPEN;
        reset += (unsigned)listener->was_reset;
        if (listener->close_code) {
            codes_sent++;
            last_code = listener->close_code;
        }
        listener->stalled_ns = 0;
    }
    printf("{\"stalled\":%u,\"closed\":%u,\"closed_while_stalled\":%u,\"longest_s\":%.2f,\"reset\":%u,\"close_frames\":%u,"
           "\"close_code\":%d,\"kept\":%u,\"drained_deliveries\":%llu}\n",
           count, count - kept, closed_while_stalled, (double)longest_ns / 1e9, reset, codes_sent, last_code, kept,
           (unsigned long long)(delivered - got_before));
}

int main(int argc, char **argv)
{
    dial_arguments(argc, argv);
    loop_start();
    buffer = malloc(BUFFER_BYTES);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!buffer || timer < 0)
        die("start");
    watch(EPOLL_CTL_ADD, timer, EPOLLIN, &timer_kind);
    char *line, path[512], said[MAX_SAID];
    while ((line = next_command(pump))) {
        struct wrapping around;
        unsigned count, window;
        double warmup_s, seconds, rate;
        if (sscanf(line, "listen %511s %u %u", path, &count, &window) == 3)
            command_listen(path, count, window);
        else if (sscanf(line, "stall %u", &count) == 1)
            command_stall(count);
        else if (sscanf(line, "rest %lf", &seconds) == 1 && seconds < MAX_REST_S)
            command_rest(seconds);
        else if (sscanf(line, "say %63s %1023[^\n]", greeting_answer, said) == 2 && text_count < MAX_TEXTS &&
                 (texts[text_count] = strdup(said))) {
            text_count++;
            printf("{}\n");
        } else if (sscanf(line, "then %1023[^\n]", then_text) == 1) {
            printf("{}\n");
        } else if (!strcmp(line, "quote")) {
            quote = "\\\"";
            stamp_key = "\\\"ns\\\":";
            printf("{}\n");
        } else if (!strncmp(line, "header ", 7) && strlen(extra_headers) + strlen(line) < sizeof extra_headers) {
            strcat(strcat(extra_headers, line + 7), "\r\n");
            printf("{}\n");
        } else if (sscanf(line, "wrap %127s %63s", around.before, around.after) == 2) {
            wrappings = realloc(wrappings, (wrapping_count + 1) * sizeof *wrappings);
            if (!wrappings)
                die("wrap");
            wrappings[wrapping_count++] = around;
            printf("{}\n");
        } else if (sscanf(line, "emit %511s %u %lf %lf %lf %u %u", emit_path, &event_bytes, &warmup_s, &seconds,
                          &rate, &inflight_limit, &wanted_senders) == 7 &&
                   wanted_senders <= MAX_SENDERS && event_bytes < 4096)
            command_emit(warmup_s, seconds, rate);
        else if (!strcmp(line, "drain"))
            command_drain();
        else if (!strcmp(line, "quit"))
            return 0;
        else
            printf("{\"error\":\"unknown command\"}\n");
    }
    return 0;
}
