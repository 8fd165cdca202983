/* Tickets that wait, the longest first: a ring that grows. */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>
#include <stdlib.h>

#include "clock.h"

struct line {
    uint64_t *tickets;
    size_t size, first, count;
};

static inline void line_push(struct line *line, uint64_t ticket)
{
    if (line->count == line->size) {
        size_t size = line->size ? 2 * line->size : 1024;
        uint64_t *bigger = malloc(size * sizeof *bigger);
        if (!bigger)
            die("malloc");
        for (size_t i = 0; i < line->count; i++)
            bigger[i] = line->tickets[(line->first + i) % line->size];
        free(line->tickets);
        *line = (struct line){.tickets = bigger, .size = size, .count = line->count};
    }
    line->tickets[(line->first + line->count++) % line->size] = ticket;
}

/* The longest waiting; there must be one. */
static inline uint64_t line_pop(struct line *line)
{
    uint64_t ticket = line->tickets[line->first];
    line->first = (line->first + 1) % line->size;
    line->count--;
    return ticket;
}

#endif
