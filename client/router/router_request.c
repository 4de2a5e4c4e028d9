/* SPDX-License-Identifier: Apache-2.0 */
/* Lines end with CR LF or LF. A length that is said twice, or in chunks, is refused: two readers
 * could take it for two requests. */
#include "client/router/router_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/router/router_lead.h"

/* The end of the head, behind the empty line; 0: not there yet. */
static size_t head_end(const char *text, size_t bytes)
{
    for (size_t i = 0; i + 1 < bytes; i++) {
        if (text[i] == '\n' && text[i + 1] == '\n') {
            return i + 2;
        }
        if (text[i] == '\n' && text[i + 1] == '\r' && i + 2 < bytes && text[i + 2] == '\n') {
            return i + 3;
        }
    }
    return 0;
}

static int digit(char sign)
{
    return sign >= '0' && sign <= '9'   ? sign - '0'
           : sign >= 'A' && sign <= 'F' ? sign - 'A' + 10
           : sign >= 'a' && sign <= 'f' ? sign - 'a' + 10
                                        : -1;
}

/* The target up to a ?, %XX as the byte that it stands for. */
static int target_read(const char *at, const char *end, struct router_request *request)
{
    size_t used = 0;
    for (; at < end && *at != '?'; at++) {
        if (used + 1 >= sizeof request->target || (unsigned char)*at <= ' ') {
            return 414;
        }
        char sign = *at;
        if (sign == '%') {
            int high = end - at > 2 ? digit(at[1]) : -1;
            int low = high >= 0 ? digit(at[2]) : -1;
            if (low < 0 || 16 * high + low < ' ') {
                return 400;
            }
            sign = (char)(16 * high + low);
            at += 2;
        }
        request->target[used++] = sign;
    }
    request->target[used] = '\0';
    return 200;
}

static int first_line_read(const char *line, size_t bytes, struct router_request *request)
{
    const char *target = memchr(line, ' ', bytes);
    const char *end = line + bytes;
    if (target == NULL) {
        return 400;
    }
    request->post = (size_t)(target - line) == 4 && memcmp(line, "POST", 4) == 0;
    if (!request->post && !((size_t)(target - line) == 3 && memcmp(line, "GET", 3) == 0)) {
        return 405;
    }
    target++;
    const char *version = memchr(target, ' ', (size_t)(end - target));
    if (version == NULL || (size_t)(end - version) != 9 || memcmp(version, " HTTP/1.", 8) != 0) {
        return 400;
    }
    request->close = version[8] == '0';
    return target_read(target, version, request);
}

/* The value if the line is a header of that name. */
static const char *header_value(const char *line, size_t bytes, const char *name, size_t *length)
{
    size_t name_bytes = strlen(name);
    if (bytes <= name_bytes || line[name_bytes] != ':' ||
        strncasecmp(line, name, name_bytes) != 0) {
        return NULL;
    }
    const char *at = line + name_bytes + 1;
    const char *end = line + bytes;
    while (at < end && (*at == ' ' || *at == '\t')) {
        at++;
    }
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *length = (size_t)(end - at);
    return at;
}

static int length_read(const char *value, size_t bytes, bool *seen, size_t *length)
{
    if (*seen || bytes == 0) {
        return 400;
    }
    *seen = true;
    *length = 0;
    for (size_t i = 0; i < bytes; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return 400;
        }
        *length = 10 * *length + (size_t)(value[i] - '0');
        if (*length > ROUTER_LEAD_BYTES_MAX) {
            return 413;
        }
    }
    return 200;
}

static int header_read(const char *line, size_t bytes, struct router_request *request, bool *seen)
{
    size_t length;
    const char *value = header_value(line, bytes, "content-length", &length);
    if (value != NULL) {
        return length_read(value, length, seen, &request->body_bytes);
    }
    if (header_value(line, bytes, "transfer-encoding", &length) != NULL) {
        return 411;
    }
    value = header_value(line, bytes, "connection", &length);
    if (value != NULL && length == 5 && strncasecmp(value, "close", 5) == 0) {
        request->close = true;
    }
    value = header_value(line, bytes, "expect", &length);
    if (value != NULL && length == 12 && strncasecmp(value, "100-continue", 12) == 0) {
        request->wants_continue = true;
    }
    return 200;
}

int router_request_read(const char *text, size_t bytes, struct router_request *request)
{
    bool seen = false;
    *request = (struct router_request){.head_bytes = head_end(text, bytes)};
    if (request->head_bytes == 0) {
        return bytes >= ROUTER_HEAD_BYTES_MAX ? 431 : 0;
    }
    if (request->head_bytes > ROUTER_HEAD_BYTES_MAX) {
        return 431;
    }
    int status = 200;
    for (size_t at = 0, line = 0; status == 200 && at < request->head_bytes; line++) {
        const char *end = memchr(text + at, '\n', request->head_bytes - at);
        size_t length = (size_t)(end - text) - at;
        size_t next = at + length + 1;
        length -= length > 0 && text[at + length - 1] == '\r';
        if (line == 0) {
            status = first_line_read(text + at, length, request);
        } else if (length > 0) {
            status = header_read(text + at, length, request, &seen);
        }
        at = next;
    }
    return status == 200 && request->post && !seen ? 411 : status;
}
