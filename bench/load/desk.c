/* desk: the people of a ticket desk in one process, one thread: kiosks, staff and displays on WebSockets.
 *
 *   desk ADDRESS PORT
 *
 * Reads commands from standard input, one a line, and answers each with one line of JSON:
 *
 *   open ROLE PATH COUNT        open COUNT more sockets; ROLE is staff, kiosk or display
 *   seat TABLE TOKEN WAITING    the longest standing of the staff picks a table. The answer comes when the
 *                               picture of the line is there: WAITING lines of "new", and "ready" if the
 *                               socket is a page's (extended=1)
 *   take WARMUP_S SECONDS RATE  kiosks take tickets
 *   serve WARMUP_S SECONDS      staff accept the longest waiting ticket, complete it, accept the next;
 *                               ends early when nobody waits any more
 *   turn WARMUP_S SECONDS       both: staff serve, and for each ticket completed a kiosk takes one; the line
 *                               stays as long as it is, give or take one for each of the staff
 *   quit
 *
 * RATE > 0 is an open loop: ticket i is due at start + i / RATE, also when no kiosk was free then. RATE 0 is
 * a closed loop: each kiosk takes its next ticket when it has the last.
 *
 * A visitor's name is the time in ns (CLOCK_MONOTONIC) at which the ticket was due, so that whoever is told
 * of the ticket can say how long that took: until the recv() that brought the line, at each of the staff.
 * Which tickets wait is what the socket seated first is told.
 *
 * Around the measured window {"event":"measuring"} and {"event":"measured"} are printed. What is under way
 * at its end is waited for, so the next command finds nobody busy.
 */
#define _GNU_SOURCE
#include <sys/timerfd.h>

#include "clock.h"
#include "dial.h"
#include "frames.h"
#include "histogram.h"
#include "inbox.h"
#include "line.h"
#include "loop.h"

#define MAX_CONNECTIONS 1024
#define BUFFER_BYTES (512 * 1024)
#define PATIENCE_NS 10000000000ull

enum role { STAFF, KIOSK, DISPLAY };
enum doing { STANDING, PICKING, IDLE, ACCEPTING, COMPLETING, TAKING };

struct connection {
    int fd, extended;
    enum role role;
    enum doing doing;
    uint64_t asked_ns; /* when the command that is under way was sent, or due */
    uint64_t ticket;   /* of the staff: the one being served */
    uint64_t new_lines;
    uint64_t picked_ns; /* when the answer to its pick came */
    int is_ready;
    struct inbox inbox;
};

static int timer;
static uint8_t *buffer;
static struct connection *connections[MAX_CONNECTIONS], *teller; /* whose lines say who waits */
static unsigned connection_count, seated;

static struct line waiting;

static int taking, serving, turning;
static uint64_t due, taken, first_due_ns, interval_ns, window_from_ns, window_to_ns, visitors;
static uint64_t created, begun, accepted, completed, refused, told, lines, bytes_in;
static struct histogram create_times, told_times, accept_times, complete_times;

/* --- connections ------------------------------------------------------------------------------- */

static void hung_up(const struct connection *connection)
{
    static const char *const names[] = {"staff", "kiosk", "display"};
    printf("{\"error\":\"the server hung up on a socket of %s\"}\n", names[connection->role]);
    exit(1);
}

static void say(struct connection *connection, enum doing doing, uint64_t at_ns, const char *text)
{
    uint8_t frame[160];
    size_t length = strlen(text);
    if (length > 125) {
        printf("{\"error\":\"too long a command\"}\n");
        exit(1);
    }
    connection->doing = doing;
    connection->asked_ns = at_ns;
    size_t size = frame_write(frame, OPCODE_TEXT, text, length);
    if (send(connection->fd, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        hung_up(connection);
}

/* What comes behind the handshake is kept for later. */
static struct connection *connection_open(enum role role, const char *path)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        die("calloc");
    connection->role = role;
    connection->extended = strstr(path, "extended=1") != NULL;
    connection->doing = role == STAFF ? STANDING : IDLE;
    size_t length;
    connection->fd = dial_websocket(path, (char *)buffer, BUFFER_BYTES, &length);
    if (connection->fd < 0) {
        free(connection);
        return NULL;
    }
    inbox_keep(&connection->inbox, buffer, length);
    fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
    watch(EPOLL_CTL_ADD, connection->fd, EPOLLIN, connection);
    return connection;
}

/* --- what is said ------------------------------------------------------------------------------ */

#define BEGINS(text, length, with) ((length) >= sizeof(with) - 1 && !memcmp(text, with, sizeof(with) - 1))

/* The digits behind a key of a ticket's JSON, 0 without. */
static uint64_t number_behind(const char *text, size_t length, const char *key)
{
    const char *at = memmem(text, length, key, strlen(key));
    uint64_t number = 0;
    if (at)
        for (at += strlen(key); at < text + length && *at >= '0' && *at <= '9'; at++)
            number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static int in_window(uint64_t at_ns)
{
    return at_ns >= window_from_ns && at_ns < window_to_ns;
}

static void answered(struct connection *connection, struct histogram *times, uint64_t *count, uint64_t now)
{
    (*count)++;
    connection->doing = IDLE;
    if (in_window(connection->asked_ns))
        histogram_add(times, now > connection->asked_ns ? (now - connection->asked_ns) / 1000 : 0);
}

static void complete_ticket(struct connection *connection)
{
    char text[64];
    snprintf(text, sizeof text, "complete %llu", (unsigned long long)connection->ticket);
    say(connection, COMPLETING, now_ns(), text);
}

static void staff_line(struct connection *connection, const char *text, size_t length, uint64_t now)
{
    if (BEGINS(text, length, "new {")) {
        connection->new_lines++;
        if (connection == teller)
            line_push(&waiting, number_behind(text, length, "\"id\":"));
        uint64_t stamp = number_behind(text, length, "\"name\":\"");
        if (in_window(stamp)) {
            told++;
            histogram_add(&told_times, now > stamp ? (now - stamp) / 1000 : 0);
        }
    } else if (BEGINS(text, length, "success claimed ")) {
        answered(connection, &accept_times, &accepted, now);
        complete_ticket(connection);
    } else if (BEGINS(text, length, "success complete ")) {
        answered(connection, &complete_times, &completed, now);
    } else if (BEGINS(text, length, "success pick ")) {
        connection->picked_ns = now;
    } else if (BEGINS(text, length, "ready")) {
        connection->is_ready = connection->picked_ns != 0;
    } else if (BEGINS(text, length, "error ")) {
        refused++;
        connection->doing = connection->doing == PICKING ? STANDING : IDLE;
    }
}

static void kiosk_line(struct connection *connection, const char *text, size_t length, uint64_t now)
{
    if (BEGINS(text, length, "success new ")) {
        answered(connection, &create_times, &created, now);
    } else if (BEGINS(text, length, "error ")) {
        refused++;
        connection->doing = IDLE;
    }
}

static void connection_readable(struct connection *connection)
{
    ssize_t have = inbox_receive(&connection->inbox, connection->fd, buffer, BUFFER_BYTES);
    if (have == INBOX_NOTHING)
        return;
    if (have < 0)
        hung_up(connection);
    uint64_t now = now_ns();
    size_t used = 0;
    struct frame frame;
    while (used < (size_t)have) {
        ssize_t size = frame_read(buffer + used, (size_t)have - used, &frame);
        if (!size)
            break;
        if (size < 0 || frame.opcode == OPCODE_CLOSE)
            hung_up(connection);
        if (frame.opcode == OPCODE_TEXT) {
            lines++;
            bytes_in += frame.length;
            if (connection->role == STAFF)
                staff_line(connection, (const char *)frame.payload, frame.length, now);
            else if (connection->role == KIOSK)
                kiosk_line(connection, (const char *)frame.payload, frame.length, now);
        } else if (frame.opcode == OPCODE_PING && frame.length <= 125) {
            uint8_t reply[160];
            size_t length = frame_write(reply, OPCODE_PONG, frame.payload, frame.length);
            (void)!send(connection->fd, reply, length, MSG_NOSIGNAL);
        }
        used += (size_t)size;
    }
    if ((size_t)have - used >= BUFFER_BYTES - 1)
        hung_up(connection);
    inbox_keep(&connection->inbox, buffer + used, (size_t)have - used);
}

/* --- what is done ------------------------------------------------------------------------------ */

/* Whether a kiosk should take a ticket now; gives when it was due. */
static int ticket_is_due(uint64_t *at_ns)
{
    if (!taking || (interval_ns && taken >= due) || (turning && taken >= completed + seated))
        return 0;
    *at_ns = interval_ns ? first_due_ns + taken * interval_ns : now_ns();
    return 1;
}

/* Whether one of the staff should accept a ticket now. */
static int ticket_is_wanted(void)
{
    return serving && waiting.count && !(turning && begun >= created + seated);
}

static void work(void)
{
    static unsigned next;
    uint64_t at_ns;
    char text[128];
    for (unsigned i = 0; i < connection_count; i++) {
        /* In turns: a slow loop must not leave the last ones with nothing to do. */
        struct connection *connection = connections[(next + i) % connection_count];
        if (connection->doing != IDLE)
            continue;
        if (connection->role == KIOSK && ticket_is_due(&at_ns)) {
            snprintf(text, sizeof text, "new v%llu.%d@bench.example %llu", (unsigned long long)++visitors,
                     (int)getpid(), (unsigned long long)at_ns);
            say(connection, TAKING, at_ns, text);
            taken++;
        } else if (connection->role == STAFF && ticket_is_wanted()) {
            connection->ticket = line_pop(&waiting);
            snprintf(text, sizeof text, "accept %llu", (unsigned long long)connection->ticket);
            say(connection, ACCEPTING, now_ns(), text);
            begun++;
        }
    }
    next++;
}

static void pump(int timeout_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &timer) {
            uint64_t ticks;
            if (read(timer, &ticks, sizeof ticks) == sizeof ticks)
                due += ticks;
        } else {
            connection_readable(events[i].data.ptr);
        }
    }
    work();
}

static int is_busy(void)
{
    for (unsigned i = 0; i < connection_count; i++)
        if (connections[i]->doing != IDLE && connections[i]->doing != STANDING)
            return 1;
    return 0;
}

/* Until the time has come, or there is nothing left to do. */
static void pump_until(uint64_t end_ns)
{
    for (uint64_t now = now_ns(); now < end_ns; now = now_ns()) {
        uint64_t left_ms = (end_ns - now) / 1000000;
        pump(left_ms < 100 ? (int)left_ms : 100);
        if (!taking && !waiting.count && !is_busy())
            return;
    }
}

/* --- commands ---------------------------------------------------------------------------------- */

static void command_open(const char *role_name, const char *path, unsigned count)
{
    enum role role = !strcmp(role_name, "staff") ? STAFF : !strcmp(role_name, "kiosk") ? KIOSK : DISPLAY;
    unsigned opened = 0;
    while (opened < count && connection_count < MAX_CONNECTIONS) {
        struct connection *connection = connection_open(role, path);
        if (!connection)
            break;
        connections[connection_count++] = connection;
        opened++;
    }
    printf("{\"opened\":%u,\"failed\":%u}\n", opened, count - opened);
}

static void command_seat(const char *table, const char *token, uint64_t expected)
{
    char text[160];
    struct connection *connection = NULL;
    for (unsigned i = 0; i < connection_count && !connection; i++)
        if (connections[i]->role == STAFF && connections[i]->doing == STANDING)
            connection = connections[i];
    if (!connection) {
        printf("{\"error\":\"all of the staff have a table\"}\n");
        return;
    }
    if (!teller)
        teller = connection;
    snprintf(text, sizeof text, "pick %s %s", table, token);
    uint64_t start = now_ns(), bytes_0 = bytes_in, refused_0 = refused;
    say(connection, PICKING, start, text);
    while (!(connection->picked_ns && connection->new_lines >= expected &&
             (!connection->extended || connection->is_ready))) {
        pump(100);
        if (refused != refused_0 || now_ns() - start > PATIENCE_NS) {
            printf("{\"error\":\"a table could not be picked\"}\n");
            return;
        }
    }
    connection->doing = IDLE;
    printf("{\"first_us\":%llu,\"all_us\":%llu,\"new_lines\":%llu,\"bytes\":%llu}\n",
           (unsigned long long)(connection->picked_ns - start) / 1000, (unsigned long long)(now_ns() - start) / 1000,
           (unsigned long long)connection->new_lines, (unsigned long long)(bytes_in - bytes_0));
}

static void command_run(double warmup_s, double seconds, double rate)
{
    histogram_reset(&create_times);
    histogram_reset(&told_times);
    histogram_reset(&accept_times);
    histogram_reset(&complete_times);
    due = taken = created = begun = accepted = completed = refused = told = lines = bytes_in = 0;
    seated = 0;
    for (unsigned i = 0; i < connection_count; i++)
        seated += connections[i]->role == STAFF && connections[i]->doing == IDLE;
    int off = 0;
    for (unsigned i = 0; i < connection_count; i++)
        setsockopt(connections[i]->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
    interval_ns = rate > 0 ? (uint64_t)(1e9 / rate) : 0;
    first_due_ns = now_ns() + 1000000;
    window_from_ns = first_due_ns + (uint64_t)(warmup_s * 1e9);
    window_to_ns = window_from_ns + (uint64_t)(seconds * 1e9);
    if (interval_ns)
        arm_timer(timer, first_due_ns, interval_ns);
    work();

    pump_until(window_from_ns);
    printf("{\"event\":\"measuring\"}\n");
    uint64_t from_ns = now_ns(), created_0 = created, accepted_0 = accepted, completed_0 = completed;
    uint64_t lines_0 = lines;
    double cpu_0 = cpu_s();
    pump_until(window_to_ns);
    double elapsed = (double)(now_ns() - from_ns) / 1e9, cpu = cpu_s() - cpu_0;
    uint64_t created_1 = created - created_0, accepted_1 = accepted - accepted_0;
    uint64_t completed_1 = completed - completed_0, lines_1 = lines - lines_0;
    printf("{\"event\":\"measured\"}\n");

    /* In the open loop what was due is still taken: a slow desk must not be spared its late visitors. */
    serving = turning = 0;
    taking = interval_ns != 0;
    if (interval_ns)
        arm_timer(timer, 0, 0);
    for (uint64_t give_up = now_ns() + PATIENCE_NS; (is_busy() || (taking && taken < due)) && now_ns() < give_up;)
        pump(20);
    int unanswered = is_busy() || (taking && taken < due);
    taking = 0;
    /* What the others are told of the last tickets may still be on its way. */
    for (uint64_t quiet = now_ns() + 50000000ull; now_ns() < quiet;)
        pump(10);
    printf("{\"seconds\":%.4f,\"created\":%llu,\"accepted\":%llu,\"completed\":%llu,\"lines\":%llu,"
           "\"generator_cpu\":%.4f,\"told\":%llu,\"refused\":%llu,\"unanswered\":%d,\"waiting\":%zu,"
           "\"total_created\":%llu,\"total_accepted\":%llu,\"total_completed\":%llu,\"create_times\":",
           elapsed, (unsigned long long)created_1, (unsigned long long)accepted_1,
           (unsigned long long)completed_1, (unsigned long long)lines_1, cpu / elapsed,
           (unsigned long long)told, (unsigned long long)refused, unanswered, waiting.count,
           (unsigned long long)created, (unsigned long long)accepted, (unsigned long long)completed);
    histogram_print(&create_times);
    printf(",\"told_times\":");
    histogram_print(&told_times);
    printf(",\"accept_times\":");
    histogram_print(&accept_times);
    printf(",\"complete_times\":");
    histogram_print(&complete_times);
    printf("}\n");
}

static int command(const char *line)
{
    char role[16], path[512], token[128];
    unsigned count;
    unsigned long long expected;
    double warmup_s, seconds, rate = 0;
    if (sscanf(line, "open %15s %511s %u", role, path, &count) == 3) {
        command_open(role, path, count);
    } else if (sscanf(line, "seat %15s %127s %llu", role, token, &expected) == 3) {
        command_seat(role, token, expected);
    } else if (sscanf(line, "take %lf %lf %lf", &warmup_s, &seconds, &rate) == 3) {
        taking = 1;
        command_run(warmup_s, seconds, rate);
    } else if (sscanf(line, "serve %lf %lf", &warmup_s, &seconds) == 2) {
        serving = 1;
        command_run(warmup_s, seconds, 0);
    } else if (sscanf(line, "turn %lf %lf", &warmup_s, &seconds) == 2) {
        taking = serving = turning = 1;
        command_run(warmup_s, seconds, 0);
    } else if (!strcmp(line, "quit")) {
        return 0;
    } else {
        printf("{\"error\":\"unknown command\"}\n");
    }
    return 1;
}

int main(int argc, char **argv)
{
    dial_arguments(argc, argv);
    loop_start();
    buffer = malloc(BUFFER_BYTES);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!buffer || timer < 0)
        die("start");
    watch(EPOLL_CTL_ADD, timer, EPOLLIN, &timer);
    for (char *line; (line = next_command(pump)) && command(line);)
        ;
    return 0;
}
