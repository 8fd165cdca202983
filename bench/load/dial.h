/* Reaching the server that is measured: where it is, sockets to it, the opening of a WebSocket. */
#ifndef DIAL_H
#define DIAL_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"

#define DIAL_PER_SOURCE_ADDRESS 4000
#define DIAL_PATIENCE_S 20

static struct sockaddr_in server;

/* PROGRAM ADDRESS PORT; anything else ends the program. */
static inline void dial_arguments(int argc, char **argv)
{
    server.sin_family = AF_INET;
    if (argc != 3 || inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || !atoi(argv[2])) {
        fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
        exit(2);
    }
    server.sin_port = htons((uint16_t)atoi(argv[2]));
}

/* A socket that is connecting, the index-th of its kind: from 127.0.0.2 up, 4,000 to an address, so that
 * local ports never run out. Returns -1 if it is refused at once. */
static inline int dial_begin(unsigned index)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        die("socket");
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index / DIAL_PER_SOURCE_ADDRESS);
    /* The port is chosen when connecting, so that one port may serve several destinations. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Leave by RST: thousands of sockets in TIME_WAIT would colour the next run. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        die("bind");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The request that opens a WebSocket, always with the same key; headers are whole lines. Returns its length. */
static inline size_t dial_request(char *into, size_t size, const char *path, const char *headers)
{
    snprintf(into, size,
             "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
             path, inet_ntoa(server.sin_addr), ntohs(server.sin_port), headers);
    return strlen(into);
}

/* Connect and shake hands, waiting for each step. Returns the socket, which still blocks, with the length
 * bytes that came behind the handshake in buffer; or -1. */
static inline int dial_websocket(const char *path, char *buffer, size_t size, size_t *length)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval patience = {.tv_sec = DIAL_PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char request[2048];
    size_t asked = dial_request(request, sizeof request, path, ""), have = 0;
    struct response response = {0};
    int complete = 0;
    if (!connect(fd, (struct sockaddr *)&server, sizeof server) &&
        send(fd, request, asked, MSG_NOSIGNAL) == (ssize_t)asked) {
        ssize_t got;
        while (!complete && (got = recv(fd, buffer + have, size - 1 - have, 0)) > 0) {
            have += (size_t)got;
            buffer[have] = 0;
            complete = http_read(buffer, have, &response);
        }
    }
    if (complete != 1 || response.status != 101) {
        close(fd);
        return -1;
    }
    *length = have - response.length;
    memmove(buffer, buffer + response.length, *length);
    return fd;
}

#endif
