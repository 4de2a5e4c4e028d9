/* SPDX-License-Identifier: Apache-2.0 */
/* A connection takes a place when it is accepted and leaves it before its socket is closed, both
 * under the lock; so what is shut down under the lock is a socket of ours. One that finds no place,
 * which cannot happen below libmicrohttpd's own limit of connections, is not watched. */
#include "server/http/http_patience.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/thread.h"
#include "server/http/http.h"

/* Looks within the shorter limit, and at least so often. */
enum { LOOKS = 4, LOOK_MS_MAX = 1000 };

struct place {
    bool taken;
    int fd;
    uint64_t until_ns; /* 0: it may take its time */
};

struct http_patience {
    uint64_t request_ns, reply_ns, look_ns;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t ends;
    bool ending;
    struct place places[HTTP_CONNECTIONS_MAX];
    pthread_t thread;
    bool started;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void look(struct http_patience *patience, uint64_t at_ns)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct place *place = &patience->places[i];
        if (place->taken && place->until_ns != 0 && at_ns > place->until_ns) {
            shutdown(place->fd, SHUT_RDWR);
            place->until_ns = 0;
        }
    }
}

static void *run(void *argument)
{
    struct http_patience *patience = argument;
    pthread_mutex_lock(&patience->lock);
    while (!patience->ending) {
        uint64_t at_ns = now_ns();
        look(patience, at_ns);
        at_ns += patience->look_ns;
        struct timespec until = {.tv_sec = (time_t)(at_ns / 1000000000U),
                                 .tv_nsec = (long)(at_ns % 1000000000U)};
        while (!patience->ending &&
               pthread_cond_timedwait(&patience->ends, &patience->lock, &until) != ETIMEDOUT) {
        }
    }
    pthread_mutex_unlock(&patience->lock);
    return NULL;
}

static bool thread_start(struct http_patience *patience, struct proto_fault *fault)
{
    int code = base_thread_start(&patience->thread, run, patience);
    patience->started = code == 0;
    if (code == 0) {
        pthread_setname_np(patience->thread, "http-patience");
    }
    return code == 0 || proto_fault_set(fault, PROTO_IO, "", "cannot start a thread for HTTP: %s",
                                        strerror(code));
}

struct http_patience *http_patience_create(unsigned request_ms, unsigned reply_ms,
                                           struct proto_fault *fault)
{
    struct http_patience *patience = calloc(1, sizeof *patience);
    pthread_condattr_t monotonic;
    if (patience == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the threads of HTTP");
        return NULL;
    }
    request_ms = request_ms != 0 ? request_ms : HTTP_TIMEOUT_S * 1000;
    reply_ms = reply_ms != 0 ? reply_ms : HTTP_REPLY_S * 1000;
    uint64_t look_ms = (request_ms < reply_ms ? request_ms : reply_ms) / LOOKS + 1;
    patience->request_ns = request_ms * UINT64_C(1000000);
    patience->reply_ns = reply_ms * UINT64_C(1000000);
    patience->look_ns = (look_ms < LOOK_MS_MAX ? look_ms : LOOK_MS_MAX) * UINT64_C(1000000);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&patience->lock, NULL);
    pthread_cond_init(&patience->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!thread_start(patience, fault)) {
        http_patience_destroy(patience);
        return NULL;
    }
    return patience;
}

void http_patience_destroy(struct http_patience *patience)
{
    if (patience == NULL) {
        return;
    }
    pthread_mutex_lock(&patience->lock);
    patience->ending = true;
    pthread_cond_signal(&patience->ends);
    pthread_mutex_unlock(&patience->lock);
    if (patience->started) {
        pthread_join(patience->thread, NULL);
    }
    pthread_cond_destroy(&patience->ends);
    pthread_mutex_destroy(&patience->lock);
    free(patience);
}

static struct place *place_find(struct http_patience *patience)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (!patience->places[i].taken) {
            return &patience->places[i];
        }
    }
    return NULL;
}

void http_patience_connection(void *context, struct MHD_Connection *connection, void **place,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http_patience *patience = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&patience->lock);
    struct place *found = code == MHD_CONNECTION_NOTIFY_STARTED ? place_find(patience) : *place;
    if (found != NULL) {
        bool begins = code == MHD_CONNECTION_NOTIFY_STARTED && info != NULL;
        *found = (struct place){.taken = begins,
                                .fd = begins ? info->connect_fd : -1,
                                .until_ns = now_ns() + patience->request_ns};
    }
    *place = found;
    pthread_mutex_unlock(&patience->lock);
}

static void set(struct http_patience *patience, struct MHD_Connection *connection,
                uint64_t until_ns)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct place *place = info != NULL ? info->socket_context : NULL;
    if (place != NULL) {
        pthread_mutex_lock(&patience->lock);
        place->until_ns = until_ns;
        pthread_mutex_unlock(&patience->lock);
    }
}

void http_patience_awaits(struct http_patience *patience, struct MHD_Connection *connection)
{
    set(patience, connection, now_ns() + patience->request_ns);
}

void http_patience_works(struct http_patience *patience, struct MHD_Connection *connection)
{
    set(patience, connection, 0);
}

void http_patience_replies(struct http_patience *patience, struct MHD_Connection *connection)
{
    set(patience, connection, now_ns() + patience->reply_ns);
}
