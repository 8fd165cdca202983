/* asks: clients that say something, wait for the answer, and say it again.
 *
 *   asks ADDRESS PORT
 *
 * Reads commands from standard input, one a line, and answers each with one line of JSON:
 *   open PATH COUNT             open WebSocket connections, one after the other
 *   ask SECONDS TEXT            have each say TEXT and, whenever it has heard a message, say it again
 * Pings and whatever else a server sends on its own would count as answers: measure servers that do not.
 */
#define _GNU_SOURCE
#include "clock.h"
#include "dial.h"
#include "frames.h"
#include "histogram.h"
#include "loop.h"

#define MAX_CLIENTS 16384
#define BUFFER_BYTES 4096

struct client {
    int fd;
    uint64_t asked_ns;
    size_t length;
    uint8_t buffer[BUFFER_BYTES];
};

static struct client *clients[MAX_CLIENTS];
static unsigned client_count, lost;
static uint8_t question[2048];
static size_t question_length;
static struct histogram latencies;
static uint64_t answers;
static int asking;

static void ask(struct client *client)
{
    client->asked_ns = now_ns();
    if (send(client->fd, question, question_length, MSG_NOSIGNAL) != (ssize_t)question_length)
        lost++;
}

static void answered(struct client *client)
{
    ssize_t got = recv(client->fd, client->buffer + client->length, BUFFER_BYTES - client->length, MSG_DONTWAIT);
    if (got <= 0) {
        lost++;
        epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
        return;
    }
    client->length += (size_t)got;
    struct frame frame;
    ssize_t taken;
    while ((taken = frame_read(client->buffer, client->length, &frame)) > 0) {
        unsigned opcode = frame.opcode;
        client->length -= (size_t)taken;
        memmove(client->buffer, client->buffer + taken, client->length);
        if (opcode != OPCODE_TEXT || !client->asked_ns)
            continue;
        histogram_add(&latencies, (now_ns() - client->asked_ns) / 1000);
        client->asked_ns = 0;
        answers++;
        if (asking)
            ask(client);
    }
    if (taken < 0)
        lost++;
}

static void pump(int timeout_ms)
{
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, timeout_ms);
    for (int i = 0; i < count; i++)
        answered(events[i].data.ptr);
}

static void pump_until(uint64_t end_ns)
{
    while (now_ns() < end_ns)
        pump(20);
}

static int open_one(const char *path)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        die("calloc");
    client->fd = client_count < MAX_CLIENTS
                     ? dial_websocket(path, (char *)client->buffer, BUFFER_BYTES, &client->length)
                     : -1;
    if (client->fd < 0) {
        free(client);
        return 0;
    }
    watch(EPOLL_CTL_ADD, client->fd, EPOLLIN, client);
    clients[client_count++] = client;
    return 1;
}

static void command_open(const char *path, unsigned count)
{
    unsigned failed = 0;
    for (unsigned i = 0; i < count; i++)
        failed += !open_one(path);
    printf("{\"opened\":%u,\"failed\":%u}\n", count - failed, failed);
}

static void command_ask(double seconds, const char *text)
{
    /* What servers say on their own, such as a greeting, is read first. */
    pump_until(now_ns() + 500000000ull);
    question_length = frame_write(question, OPCODE_TEXT, text, strlen(text));
    asking = 1;
    lost = 0;
    for (unsigned i = 0; i < client_count; i++)
        ask(clients[i]);
    pump_until(now_ns() + 500000000ull);
    histogram_reset(&latencies);
    printf("{\"event\":\"measuring\"}\n");
    uint64_t from_ns = now_ns(), answers_0 = answers;
    double cpu = cpu_s();
    pump_until(from_ns + (uint64_t)(seconds * 1e9));
    double elapsed = (double)(now_ns() - from_ns) / 1e9;
    cpu = cpu_s() - cpu;
    uint64_t count = answers - answers_0;
    printf("{\"event\":\"measured\"}\n");
    asking = 0;
    printf("{\"seconds\":%.4f,\"clients\":%u,\"deliveries\":%llu,\"lost\":%u,\"generator_cpu\":%.4f,\"latency\":",
           elapsed, client_count, (unsigned long long)count, lost, cpu / elapsed);
    histogram_print(&latencies);
    printf("}\n");
}

int main(int argc, char **argv)
{
    dial_arguments(argc, argv);
    loop_start();
    char *line, text[1024];
    while ((line = next_command(pump))) {
        unsigned count;
        double seconds;
        if (sscanf(line, "open %1023s %u", text, &count) == 2)
            command_open(text, count);
        else if (sscanf(line, "ask %lf %1023[^\n]", &seconds, text) == 2)
            command_ask(seconds, text);
        else
            printf("{\"error\":\"unknown command\"}\n");
    }
    return 0;
}
