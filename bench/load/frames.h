/* RFC 6455 frames as a client reads them: bytes in, complete frames out, no I/O. */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum { OPCODE_TEXT = 1, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10 };

struct frame {
    unsigned opcode;
    int fin;
    const uint8_t *payload;
    size_t length;
};

/* Reads the frame at the start of data.
 * Returns the bytes it takes, 0 when it is not complete yet, -1 when no server may send it
 * (masked, or with a reserved bit: section 5.1 and 5.2). */
static inline ssize_t frame_read(const uint8_t *data, size_t length, struct frame *frame)
{
    if (length < 2)
        return 0;
    if ((data[0] & 0x70) || (data[1] & 0x80))
        return -1;
    size_t header = 2;
    uint64_t size = data[1];
    if (size == 126) {
        if (length < 4)
            return 0;
        size = (uint64_t)data[2] << 8 | data[3];
        header = 4;
    } else if (size == 127) {
        if (length < 10)
            return 0;
        size = 0;
        for (int i = 2; i < 10; i++)
            size = size << 8 | data[i];
        header = 10;
    }
    if (size > length - header)
        return 0;
    frame->opcode = data[0] & 0x0f;
    frame->fin = data[0] >> 7;
    frame->payload = data + header;
    frame->length = (size_t)size;
    return (ssize_t)(header + size);
}

/* A client frame of at most 65,535 bytes; the mask is all zeros, which is allowed and leaves the
 * payload as it is. out needs length + 8 bytes, and + 6 up to a length of 125. Returns the bytes written. */
static inline size_t frame_write(uint8_t *out, unsigned opcode, const void *payload, size_t length)
{
    out[0] = (uint8_t)(0x80 | opcode);
    size_t header = 2;
    if (length <= 125) {
        out[1] = (uint8_t)(0x80 | length);
    } else {
        out[1] = 0x80 | 126;
        out[2] = (uint8_t)(length >> 8);
        out[3] = (uint8_t)length;
        header = 4;
    }
    memset(out + header, 0, 4);
    memcpy(out + header + 4, payload, length);
    return header + 4 + length;
}

/* The time stamp of an emitted event, wherever a server puts the payload it was given: the digits
 * after the key. Every frame of a run has it at nearly the same place, so that is tried first.
 * Returns 0 when there is none: the frame is not a delivery. */
static inline uint64_t frame_stamp(const struct frame *frame, const char *key, size_t *hint)
{
    const size_t key_length = strlen(key);
    const uint8_t *at;
    if (*hint + key_length <= frame->length && !memcmp(frame->payload + *hint, key, key_length)) {
        at = frame->payload + *hint;
    } else {
        at = memmem(frame->payload, frame->length, key, key_length);
        if (!at)
            return 0;
        *hint = (size_t)(at - frame->payload);
    }
    uint64_t stamp = 0;
    const uint8_t *end = frame->payload + frame->length;
    for (at += key_length; at < end && *at >= '0' && *at <= '9'; at++)
        stamp = stamp * 10 + (uint64_t)(*at - '0');
    return stamp;
}

#endif
