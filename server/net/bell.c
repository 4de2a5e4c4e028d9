/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: the counter of an eventfd goes from 0, the loop reads it back to 0 and calls. The
 * counter is never full: it would take 2^64 rings that nobody hears. A ring or a read that the
 * kernel refuses is let be: a counter that was not read back rings on, and for a ring that was lost
 * the caller looks by itself now and then. libuv would end the process. */
#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/net/bell.h"

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct net_bell *bell = poll->data;
    uint64_t rings;
    (void)status; /* an error is for sockets that were closed */
    (void)events;
    ssize_t unused = read(bell->fd, &rings, sizeof rings);
    (void)unused;
    bell->on_ring(bell->context);
}

int net_bell_init(struct net_bell *bell, uv_loop_t *loop, void (*on_ring)(void *context),
                  void *context)
{
    *bell = (struct net_bell){.on_ring = on_ring, .context = context};
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bell->fd < 0) {
        return uv_translate_sys_error(errno);
    }
    int rc = uv_poll_init(loop, &bell->poll, bell->fd);
    if (rc != 0) {
        net_bell_fini(bell);
        return rc;
    }
    bell->poll.data = bell;
    rc = uv_poll_start(&bell->poll, UV_READABLE, on_readable);
    assert(rc == 0); /* the handle was just made */
    return rc;
}

void net_bell_ring(const struct net_bell *bell)
{
    uint64_t one = 1;
    ssize_t bytes;
    do {
        bytes = write(bell->fd, &one, sizeof one);
    } while (bytes < 0 && errno == EINTR);
}

void net_bell_fini(struct net_bell *bell)
{
    if (bell->fd >= 0) {
        close(bell->fd);
        bell->fd = -1;
    }
}
