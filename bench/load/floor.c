/* floor: the least a WebSocket fan-out server can do. What it reaches is the floor every other
 * server's figure is held against, and what the generator reads from it is what the generator can.
 *
 *   floor PORT COPIES
 *
 * A GET is taken for a listener's handshake (the generator always sends the same key, so the answer
 * is a constant), a POST's body is framed once and written to every listener with one send() each;
 * COPIES > 1 puts that many frames into the one send(), which shows the cost of a frame apart from
 * that of a system call. A listener that does not keep up loses what does not fit.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"
#include <stdio.h>

#define MAX_FD 65536
#define MAX_BODY 8192

struct peer {
    size_t length;
    unsigned position; /* in listeners, plus one; 0 for an HTTP connection */
    char buffer[2048];
};

static struct peer *peers[MAX_FD];
static int listeners[MAX_FD];
static unsigned listener_count;

static void drop(int fd)
{
    struct peer *peer = peers[fd];
    if (peer->position) {
        int moved = listeners[--listener_count];
        listeners[peer->position - 1] = moved;
        peers[moved]->position = peer->position;
    }
    free(peer);
    peers[fd] = NULL;
    close(fd);
}

static void fan_out(const char *body, size_t length, unsigned copies)
{
    static char out[64 * (MAX_BODY + 4)];
    size_t size = 0;
    for (unsigned i = 0; i < copies; i++) {
        out[size++] = (char)0x81;
        if (length < 126) {
            out[size++] = (char)length;
        } else {
            out[size++] = 126;
            out[size++] = (char)(length >> 8);
            out[size++] = (char)length;
        }
        memcpy(out + size, body, length);
        size += length;
    }
    for (unsigned i = 0; i < listener_count; i++)
        (void)!send(listeners[i], out, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static int handle(int fd, struct peer *peer, unsigned copies)
{
    static const char upgrade[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    peer->buffer[peer->length] = 0;
    char *head_end = strstr(peer->buffer, "\r\n\r\n");
    if (!head_end)
        return 0;
    char *body = head_end + 4;
    if (!strncmp(peer->buffer, "GET ", 4)) {
        listeners[listener_count++] = fd;
        peer->position = listener_count;
        peer->length = 0;
        return send(fd, upgrade, sizeof upgrade - 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
    }
    const char *size = http_header(peer->buffer, head_end, "content-length");
    size_t length = size ? strtoul(size, NULL, 10) : 0;
    if (peer->length - (size_t)(body - peer->buffer) < length)
        return 0;
    fan_out(body, length, copies);
    peer->length = 0;
    return send(fd, ok, sizeof ok - 1, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    unsigned copies = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    if (!copies || copies > 64) {
        fprintf(stderr, "usage: %s PORT COPIES\n", argv[0]);
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, poller = epoll_create1(0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(door, (struct sockaddr *)&address, sizeof address) < 0 || listen(door, 4096) < 0)
        die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = door}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, door, &event);
    for (;;) {
        int count = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == door) {
                while ((fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (fd >= MAX_FD || !(peers[fd] = calloc(1, sizeof **peers))) {
                        close(fd);
                        continue;
                    }
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    event.data.fd = fd;
                    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
                }
                continue;
            }
            struct peer *peer = peers[fd];
            ssize_t got = recv(fd, peer->buffer + peer->length, sizeof peer->buffer - 1 - peer->length, 0);
            if (got < 0 && errno == EAGAIN)
                continue;
            if (got > 0)
                peer->length += (size_t)got;
            if (got <= 0 || peer->length >= sizeof peer->buffer - 1 || handle(fd, peer, copies) < 0)
                drop(fd);
        }
    }
}
