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
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "frames.h"
#include "histogram.h"

#define MAX_CLIENTS 16384
#define BUFFER_BYTES 4096

struct client {
    int fd;
    uint64_t asked_ns;
    size_t length;
    uint8_t buffer[BUFFER_BYTES];
};

static struct sockaddr_in server;
static struct client *clients[MAX_CLIENTS];
static unsigned client_count, lost;
static int poller;
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

static void pump_until(uint64_t end_ns)
{
    struct epoll_event events[256];
    while (now_ns() < end_ns) {
        int count = epoll_wait(poller, events, 256, 20);
        for (int i = 0; i < count; i++)
            answered(events[i].data.ptr);
    }
}

static int open_one(const char *path)
{
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[2048];
    size_t have = 0;
    if (fd < 0 || client_count == MAX_CLIENTS || connect(fd, (struct sockaddr *)&server, sizeof server))
        return 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          path, inet_ntoa(server.sin_addr), ntohs(server.sin_port));
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        return 0;
    char *end = NULL;
    while (!end) {
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
        text[have] = 0;
        end = strstr(text, "\r\n\r\n");
    }
    struct client *client = calloc(1, sizeof *client);
    if (strncmp(text, "HTTP/1.1 101", 12) || !client)
        return 0;
    client->fd = fd;
    client->length = have - (size_t)(end + 4 - text);
    memcpy(client->buffer, end + 4, client->length);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
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
    server.sin_family = AF_INET;
    if (argc != 3 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || !atoi(argv[2])) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        return 2;
    }
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    setvbuf(stdout, NULL, _IOLBF, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die("epoll_create1");
    char line[2048], text[1024];
    while (fgets(line, sizeof line, stdin)) {
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
