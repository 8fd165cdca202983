/* The little of HTTP/1.1 a keep-alive client needs: is the response complete, and what did it say. */
#ifndef HTTP_H
#define HTTP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct response {
    int status;
    int closes;      /* the server will close the connection after it */
    size_t length;   /* of head and body together */
};

static inline const char *http_header(const char *head, const char *end, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = head; line < end;) {
        if ((size_t)(end - line) > length && !strncasecmp(line, name, length) && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
        const char *next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            break;
        line = next + 1;
    }
    return NULL;
}

/* data must be NUL-terminated after length bytes.
 * Returns 1 when a whole response is there, 0 when it is not yet, -1 when it is none. */
static inline int http_read(const char *data, size_t length, struct response *response)
{
    if (length >= 5 && strncmp(data, "HTTP/", 5))
        return -1;
    const char *head_end = strstr(data, "\r\n\r\n");
    if (!head_end)
        return 0;
    const char *body = head_end + 4;
    size_t have = length - (size_t)(body - data);
    response->status = length > 12 ? atoi(data + 9) : 0;
    const char *connection = http_header(data, head_end, "connection");
    response->closes = connection && !strncasecmp(connection, "close", 5);
    const char *size = http_header(data, head_end, "content-length");
    const char *coding = http_header(data, head_end, "transfer-encoding");
    size_t want = size ? strtoul(size, NULL, 10) : 0;
    if (coding && !strncasecmp(coding, "chunked", 7)) {
        for (want = 0;;) {
            const char *line_end = strstr(body + want, "\r\n");
            if (!line_end)
                return 0;
            size_t chunk = strtoul(body + want, NULL, 16);
            want = (size_t)(line_end - body) + 2 + chunk + 2;
            if (want > have)
                return 0;
            if (!chunk)
                break;
        }
    } else if (response->status == 101 || response->status == 204 || response->status == 304) {
        want = 0;
    }
    if (have < want)
        return 0;
    response->length = (size_t)(body - data) + want;
    return 1;
}

#endif
