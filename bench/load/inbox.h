/* What a connection has sent and nobody could use yet: the start of a message, kept until the rest comes. */
#ifndef INBOX_H
#define INBOX_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "clock.h"

enum { INBOX_NOTHING = 0, INBOX_ENDED = -1, INBOX_RESET = -2 };

struct inbox {
    uint8_t *rest;
    size_t length;
};

/* One recv(). Returns how many bytes now stand in buffer, what was kept before first, with a NUL behind
 * them; INBOX_NOTHING when none came; INBOX_ENDED or INBOX_RESET when none will. */
static inline ssize_t inbox_receive(struct inbox *inbox, int fd, uint8_t *buffer, size_t size)
{
    if (inbox->length)
        memcpy(buffer, inbox->rest, inbox->length);
    ssize_t got = recv(fd, buffer + inbox->length, size - 1 - inbox->length, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? INBOX_NOTHING : INBOX_RESET;
    if (!got)
        return INBOX_ENDED;
    buffer[inbox->length + (size_t)got] = 0;
    return (ssize_t)inbox->length + got;
}

/* Keep these bytes for the next inbox_receive; none of them frees what was kept. */
static inline void inbox_keep(struct inbox *inbox, const uint8_t *bytes, size_t length)
{
    if (length > inbox->length || (length && !inbox->rest)) {
        inbox->rest = realloc(inbox->rest, length);
        if (!inbox->rest)
            die("realloc");
    }
    if (length) {
        memcpy(inbox->rest, bytes, length);
    } else {
        free(inbox->rest);
        inbox->rest = NULL;
    }
    inbox->length = length;
}

#endif
