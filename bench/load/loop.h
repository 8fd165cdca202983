/* What a load program waits for: its sockets, and commands on standard input, one a line. */
#ifndef LOOP_H
#define LOOP_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"

static int poller;

static struct {
    char text[2048];
    size_t length, taken;
} commands;

static inline void loop_start(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die("epoll_create1");
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
}

static inline void watch(int operation, int fd, uint32_t events, void *owner)
{
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(poller, operation, fd, &event) < 0)
        die("epoll_ctl");
}

/* The next command, good until the one after it; NULL when no more will come. Pumps until it is there, so that
 * connections that idle still have their pings answered. */
static inline char *next_command(void (*pump)(int timeout_ms))
{
    commands.length -= commands.taken;
    memmove(commands.text, commands.text + commands.taken, commands.length);
    commands.taken = 0;
    for (;;) {
        char *end = memchr(commands.text, '\n', commands.length);
        if (end) {
            *end = 0;
            commands.taken = (size_t)(end + 1 - commands.text);
            return commands.text;
        }
        size_t room = sizeof commands.text - commands.length;
        ssize_t got = room ? read(0, commands.text + commands.length, room) : 0;
        if (!got)
            return NULL;
        if (got > 0)
            commands.length += (size_t)got;
        else
            pump(5);
    }
}

#endif
