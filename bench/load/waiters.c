/* waiters: thousands of clients of the login queue in one process, one thread.
 *
 *   waiters ADDRESS PORT
 *
 * Reads commands from standard input, one a line, and answers each with one line of JSON:
 *
 *   name PREFIX              what the ids of its clients begin with; two of these programs need two
 *   arrive COUNT WINDOW WAY  bring it to COUNT connections, WINDOW at a time, each with the id that is its
 *                            number's; WAY is "silent", or "join": each sends Login as soon as it may
 *   join WINDOW              have those without a ticket send Login, WINDOW unanswered at a time
 *   watch SECONDS            listen for so long
 *   admitted COUNT SECONDS   wait until COUNT more have a credential, at most so long
 *   drop                     vanish with every connection
 *   quit
 *
 * "join" times are from Login to the ticket, which the server sends when it is on disk; "moved" counts
 * tickets that came back with another position than the id had before.
 *
 * Before what "watch" and "admitted" measure {"event":"measuring"} is printed, after it
 * {"event":"measured"}, so that whoever started us can sample the server's CPU time.
 *
 * Connections come from 127.0.0.2 up, 4,000 to an address, so local ports never run out.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "dial.h"
#include "frames.h"
#include "histogram.h"
#include "inbox.h"
#include "loop.h"

#define BUFFER_BYTES (256 * 1024)
#define PATIENCE_NS 300000000000ull

enum state { NONE, CONNECTING, UPGRADING, OPEN };

struct waiter {
    int fd;
    enum state state;
    int asked, has_ticket, wants_ticket;
    long long position;
    struct inbox inbox;
    uint64_t started_ns, asked_ns;
};

static uint8_t *buffer;
static char prefix[32] = "waiter";

static struct waiter *waiters;
static unsigned allocated, under_way, open_count, failed, lost, answered, unanswered, moved, refused;
static uint64_t admitted, stats, stats_bytes;
static struct histogram handshakes, joins, admissions;
static uint64_t mark_ns;

static void waiter_close(struct waiter *waiter)
{
    if (waiter->state == OPEN) {
        open_count--;
        lost++;
    } else if (waiter->state != NONE) {
        under_way--;
        failed++;
    }
    if (waiter->asked && !waiter->has_ticket)
        unanswered--;
    if (waiter->state != NONE)
        close(waiter->fd);
    waiter->state = NONE;
    waiter->asked = waiter->has_ticket = 0;
    inbox_keep(&waiter->inbox, NULL, 0);
}

static void waiter_start(unsigned index, int joins_at_once)
{
    struct waiter *waiter = &waiters[index];
    waiter->started_ns = now_ns();
    waiter->wants_ticket = joins_at_once;
    waiter->fd = dial_begin(index);
    if (waiter->fd < 0) {
        failed++;
        return;
    }
    waiter->state = CONNECTING;
    under_way++;
    watch(EPOLL_CTL_ADD, waiter->fd, EPOLLOUT, waiter);
}

static void waiter_join(struct waiter *waiter)
{
    char login[120];
    uint8_t frame[130];
    int length = snprintf(login, sizeof login, "{\"eventCode\":1001,\"eventData\":{\"type\":4,\"token\":\"%s%u\"}}",
                          prefix, (unsigned)(waiter - waiters));
    size_t size = frame_write(frame, OPCODE_TEXT, login, (size_t)length);
    waiter->asked = 1;
    waiter->wants_ticket = 0;
    waiter->asked_ns = now_ns();
    unanswered++;
    if (send(waiter->fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        waiter_close(waiter);
}

/* --- what the server says --------------------------------------------------------------------- */

static void waiter_text(struct waiter *waiter, const struct frame *frame, uint64_t now)
{
    char text[512];
    size_t length = frame->length < sizeof text - 1 ? frame->length : sizeof text - 1;
    memcpy(text, frame->payload, length);
    text[length] = 0;
    switch (length > 13 ? atoi(text + 13) : 0) { /* {"eventCode":1002,... */
    case 1000:
        if (waiter->wants_ticket)
            waiter_join(waiter);
        break;
    case 1002:
        stats++;
        stats_bytes += frame->length;
        break;
    case 1003: {
        const char *at = strstr(text, "\"position\":");
        long long position = at ? atoll(at + 11) : 0;
        if (waiter->position && position != waiter->position)
            moved++;
        waiter->position = position;
        if (waiter->asked && !waiter->has_ticket) {
            unanswered--;
            answered++;
            histogram_add(&joins, (now - waiter->asked_ns) / 1000);
        }
        waiter->has_ticket = 1;
        break;
    }
    case 1001:
        if (strstr(text, "\"jwt\":\"\""))
            refused++;
        else {
            admitted++;
            if (mark_ns)
                histogram_add(&admissions, (now - mark_ns) / 1000);
        }
        break;
    default:
        refused++;
    }
}

static ssize_t waiter_take(struct waiter *waiter, const uint8_t *data, size_t length, uint64_t now)
{
    size_t taken = 0;
    if (waiter->state == UPGRADING) {
        struct response response;
        int complete = http_read((const char *)data, length, &response);
        if (complete < 0 || (complete && response.status != 101))
            return -1;
        if (!complete)
            return 0;
        taken = response.length;
        waiter->state = OPEN;
        under_way--;
        open_count++;
        histogram_add(&handshakes, (now - waiter->started_ns) / 1000);
    }
    struct frame frame;
    while (taken < length && waiter->state == OPEN) {
        ssize_t size = frame_read(data + taken, length - taken, &frame);
        if (size < 0)
            return -1;
        if (!size)
            break;
        taken += (size_t)size;
        if (frame.opcode == OPCODE_TEXT) {
            waiter_text(waiter, &frame, now);
        } else if (frame.opcode == OPCODE_PING && frame.length <= 125) {
            uint8_t reply[140];
            size_t reply_length = frame_write(reply, OPCODE_PONG, frame.payload, frame.length);
            (void)!send(waiter->fd, reply, reply_length, MSG_NOSIGNAL);
        } else if (frame.opcode == OPCODE_CLOSE) {
            uint8_t reply[140];
            size_t reply_length = frame_write(reply, OPCODE_CLOSE, frame.payload, frame.length > 2 ? 2 : frame.length);
            (void)!send(waiter->fd, reply, reply_length, MSG_NOSIGNAL);
        }
    }
    return (ssize_t)taken;
}

static void waiter_event(struct waiter *waiter, uint32_t events)
{
    if (waiter->state == CONNECTING) {
        char headers[80], request[512];
        snprintf(headers, sizeof headers, "platform: bench\r\nid: %s%u\r\n", prefix, (unsigned)(waiter - waiters));
        size_t length = dial_request(request, sizeof request, "/", headers);
        if ((events & (EPOLLERR | EPOLLHUP)) ||
            send(waiter->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
            waiter_close(waiter);
            return;
        }
        waiter->state = UPGRADING;
        watch(EPOLL_CTL_MOD, waiter->fd, EPOLLIN, waiter);
        return;
    }
    if (waiter->state == NONE)
        return;
    ssize_t got = inbox_receive(&waiter->inbox, waiter->fd, buffer, BUFFER_BYTES);
    if (got == INBOX_NOTHING)
        return;
    ssize_t taken = got < 0 ? -1 : waiter_take(waiter, buffer, (size_t)got, now_ns());
    if (taken < 0)
        waiter_close(waiter);
    else if (waiter->state != NONE)
        inbox_keep(&waiter->inbox, buffer + taken, (size_t)(got - taken));
}

static void pump(int timeout_ms)
{
    struct epoll_event events[512];
    int count = epoll_wait(poller, events, 512, timeout_ms);
    for (int i = 0; i < count; i++)
        waiter_event(events[i].data.ptr, events[i].events);
}

/* --- commands --------------------------------------------------------------------------------- */

static void reset(void)
{
    histogram_reset(&handshakes);
    histogram_reset(&joins);
    histogram_reset(&admissions);
    failed = lost = answered = moved = refused = 0;
    admitted = stats = stats_bytes = 0;
    mark_ns = 0;
}

static void report(uint64_t from_ns, uint64_t to_ns, double cpu)
{
    double seconds = (double)(to_ns - from_ns) / 1e9;
    printf("{\"seconds\":%.6f,\"open\":%u,\"failed\":%u,\"lost\":%u,\"answered\":%u,\"moved\":%u,\"refused\":%u,"
           "\"admitted\":%llu,\"deliveries\":%llu,\"bytes\":%llu,\"generator_cpu\":%.4f,\"handshake_times\":",
           seconds, open_count, failed, lost, answered, moved, refused, (unsigned long long)admitted,
           (unsigned long long)stats, (unsigned long long)stats_bytes, seconds > 0 ? cpu / seconds : 0.0);
    histogram_print(&handshakes);
    printf(",\"join_times\":");
    histogram_print(&joins);
    printf(",\"admitted_times\":");
    histogram_print(&admissions);
    printf("}\n");
}

static void command_arrive(unsigned count, unsigned window, int joins_at_once)
{
    if (count > allocated) {
        if (open_count || allocated) {
            printf("{\"error\":\"the crowd cannot grow\"}\n");
            return;
        }
        waiters = calloc(count, sizeof *waiters);
        if (!waiters)
            die("calloc");
        allocated = count;
    }
    reset();
    uint64_t from_ns = now_ns(), until_ns = from_ns + PATIENCE_NS;
    double cpu = cpu_s();
    unsigned next = 0;
    while (now_ns() < until_ns) {
        for (; next < count && under_way < window; next++)
            if (waiters[next].state == NONE)
                waiter_start(next, joins_at_once);
        if (next == count && !under_way && (!joins_at_once || answered + failed + lost >= count))
            break;
        pump(5);
    }
    report(from_ns, now_ns(), cpu_s() - cpu);
}

static void command_join(unsigned window)
{
    reset();
    uint64_t from_ns = now_ns(), until_ns = from_ns + PATIENCE_NS;
    double cpu = cpu_s();
    unsigned next = 0;
    while (now_ns() < until_ns) {
        for (; next < allocated && unanswered < window; next++)
            if (waiters[next].state == OPEN && !waiters[next].has_ticket)
                waiter_join(&waiters[next]);
        if (next == allocated && !unanswered)
            break;
        pump(5);
    }
    report(from_ns, now_ns(), cpu_s() - cpu);
}

static void command_watch(double seconds, unsigned wanted)
{
    reset();
    printf("{\"event\":\"measuring\"}\n");
    uint64_t from_ns = now_ns(), until_ns = from_ns + (uint64_t)(seconds * 1e9);
    double cpu = cpu_s();
    mark_ns = from_ns;
    while (now_ns() < until_ns && (!wanted || admitted < wanted))
        pump(5);
    uint64_t to_ns = now_ns();
    printf("{\"event\":\"measured\"}\n");
    report(from_ns, to_ns, cpu_s() - cpu);
}

static void command_drop(void)
{
    reset();
    for (unsigned i = 0; i < allocated; i++)
        waiter_close(&waiters[i]);
    printf("{\"dropped\":%u}\n", lost);
}

int main(int argc, char **argv)
{
    dial_arguments(argc, argv);
    loop_start();
    buffer = malloc(BUFFER_BYTES);
    if (!buffer)
        die("malloc");
    reset();
    char *line, way[16];
    while ((line = next_command(pump))) {
        unsigned count, window;
        double seconds;
        if (sscanf(line, "arrive %u %u %15s", &count, &window, way) == 3)
            command_arrive(count, window, !strcmp(way, "join"));
        else if (sscanf(line, "name %31s", prefix) == 1)
            printf("{}\n");
        else if (sscanf(line, "join %u", &window) == 1)
            command_join(window);
        else if (sscanf(line, "watch %lf", &seconds) == 1)
            command_watch(seconds, 0);
        else if (sscanf(line, "admitted %u %lf", &count, &seconds) == 2)
            command_watch(seconds, count);
        else if (!strcmp(line, "drop"))
            command_drop();
        else if (!strcmp(line, "quit"))
            return 0;
        else
            printf("{\"error\":\"unknown command\"}\n");
    }
    return 0;
}
