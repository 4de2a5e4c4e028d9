/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: the counter of an eventfd goes from 0, the loop reads it back to 0 and calls. The
 * counter is never full: it would take 2^64 rings that nobody hears. A read that finds nothing is
 * let be, for another ring will come. */
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
    ssize_t bytes = read(bell->fd, &rings, sizeof rings);
    assert(bytes == (ssize_t)sizeof rings || errno == EAGAIN || errno == EINTR);
    (void)bytes;
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
    assert(bytes == (ssize_t)sizeof one || errno == EAGAIN);
}

void net_bell_fini(struct net_bell *bell)
{
    if (bell->fd >= 0) {
        close(bell->fd);
        bell->fd = -1;
    }
}
