/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the buffer already is answered from there; else the buffer is filled anew from the
 * place that is asked for. The end of the file is no fault here: the caller knows what it needs. */
#include "server/log/log_window.h"

#include <errno.h>
#include <stdlib.h>

/* What is read of a file first: a start looks at the header of each segment and at nothing else. */
enum { FIRST_BYTES = 16 << 10 };

void log_window_init(struct log_window *window, const struct log_io *io, int fd)
{
    *window = (struct log_window){.io = io, .fd = fd};
}

void log_window_fini(struct log_window *window)
{
    free(window->data);
    window->data = NULL;
}

void log_window_reset(struct log_window *window, int fd)
{
    window->fd = fd;
    window->bytes = 0;
    window->begun = false;
}

static bool window_grow(struct log_window *window, size_t bytes, struct proto_fault *fault)
{
    size_t room = bytes < LOG_WINDOW_BYTES ? LOG_WINDOW_BYTES : bytes;
    if (room <= window->room) {
        return true;
    }
    window->bytes = 0;
    uint8_t *data = realloc(window->data, room);
    if (data == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to read %zu bytes of the log",
                               room);
    }
    window->data = data;
    window->room = room;
    return true;
}

const uint8_t *log_window_get(struct log_window *window, uint64_t at, size_t bytes, size_t *got,
                              struct proto_fault *fault)
{
    if (window->data == NULL || at < window->at || at + bytes > window->at + window->bytes) {
        if (!window_grow(window, bytes, fault)) {
            return NULL;
        }
        size_t room = window->begun || bytes > FIRST_BYTES ? window->room : FIRST_BYTES;
        window->bytes = 0;
        window->begun = true;
        ssize_t count = log_io_read(window->io, window->fd, window->data, room, at);
        if (count < 0) {
            log_fault(errno, "cannot read the log", fault);
            return NULL;
        }
        window->at = at;
        window->bytes = (size_t)count;
    }
    *got = (size_t)(window->at + window->bytes - at);
    return window->data + (at - window->at);
}
