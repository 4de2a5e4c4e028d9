/* SPDX-License-Identifier: Apache-2.0 */
/* TLS sessions of a worker. A handshake waits for its turn, runs on a thread of low priority
 * (shaker.c), and is told of on the worker's own thread; a connection that ended meanwhile leaves
 * its session to the end of that work. Afterwards a session is as fast as its cipher and stays
 * here. */
#include <assert.h>
#include <stdlib.h>

#include "server/net/net_worker.h"

struct net_secure *net_secure_create(struct net_worker *worker, struct net_conn *conn)
{
    struct net_server *server = worker->server;
    struct net_secure *secure = calloc(1, sizeof *secure);
    if (secure == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&server->tls_lock);
    struct tls_context *context = tls_context_share(server->options.tls);
    pthread_mutex_unlock(&server->tls_lock);
    *secure = (struct net_secure){.worker = worker,
                                  .conn = conn,
                                  .session = tls_session_create(context),
                                  .shaken = TLS_SHAKES};
    tls_context_drop(context);
    if (secure->session == NULL) {
        free(secure);
        return NULL;
    }
    return secure;
}

void net_secure_count(struct net_secure *secure)
{
    size_t bytes = sizeof *secure + tls_session_bytes(secure->session);
    net_worker_hold(secure->worker, bytes, secure->counted);
    secure->counted = bytes;
}

static void destroy(struct net_secure *secure)
{
    net_worker_hold(secure->worker, 0, secure->counted);
    tls_session_destroy(secure->session);
    free(secure);
}

static void queue_leave(struct net_secure *secure)
{
    struct net_worker *worker = secure->worker;
    struct net_secure **link = &worker->shakes.first;
    while (*link != secure) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = secure->next;
    if (worker->shakes.last == &secure->next) {
        worker->shakes.last = link;
    }
    secure->waits = false;
    NET_TALLY(worker, tls_waiting, UINT64_MAX);
}

static void later_leave(struct net_secure *secure)
{
    struct net_secure **link = &secure->worker->secure_more;
    while (*link != secure) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = secure->next;
    secure->later = false;
}

static size_t halves_most(const struct net_worker *worker)
{
    const struct net_server *server = worker->server;
    size_t most =
        server->options.bytes_max / NET_HALVES_SHARE / server->workers_count / TLS_SHAKING_BYTES;
    return most > NET_HALVES_LEAST ? most : NET_HALVES_LEAST;
}

struct net_conn *net_secure_half(struct net_secure *secure)
{
    struct net_worker *worker = secure->worker;
    if (!secure->half) {
        secure->half = true;
        secure->older = worker->halves.newest;
        secure->newer = NULL;
        *(secure->older != NULL ? &secure->older->newer : &worker->halves.oldest) = secure;
        worker->halves.newest = secure;
        worker->halves.count++;
    }
    return worker->halves.count > halves_most(worker) ? worker->halves.oldest->conn : NULL;
}

void net_secure_whole(struct net_secure *secure)
{
    struct net_worker *worker = secure->worker;
    if (!secure->half) {
        return;
    }
    secure->half = false;
    *(secure->older != NULL ? &secure->older->newer : &worker->halves.oldest) = secure->newer;
    *(secure->newer != NULL ? &secure->newer->older : &worker->halves.newest) = secure->older;
    worker->halves.count--;
}

void net_secure_leave(struct net_secure *secure)
{
    if (secure == NULL) {
        return;
    }
    net_secure_whole(secure);
    if (secure->waits) {
        queue_leave(secure);
        secure->works = false;
    }
    if (secure->later) {
        later_leave(secure);
    }
    secure->conn = NULL;
    if (!secure->works) {
        destroy(secure);
    }
}

static void shakes_go_on(struct net_worker *worker)
{
    while (worker->shakes.under_way < NET_SHAKES_MAX && worker->shakes.first != NULL) {
        struct net_secure *secure = worker->shakes.first;
        queue_leave(secure);
        worker->shakes.under_way++;
        net_shakers_put(&worker->server->shakers, secure);
    }
}

void net_secure_shaken(struct net_secure *secure)
{
    struct net_worker *worker = secure->worker;
    struct net_conn *conn = secure->conn;
    secure->works = false;
    worker->shakes.under_way--;
    shakes_go_on(worker);
    if (conn == NULL) {
        destroy(secure);
        return;
    }
    secure->on_shaken(conn);
}

void net_secure_shake(struct net_secure *secure, void (*on_shaken)(struct net_conn *conn))
{
    struct net_worker *worker = secure->worker;
    assert(!secure->works && secure->shaken == TLS_SHAKES);
    secure->on_shaken = on_shaken;
    secure->works = secure->waits = true;
    secure->next = NULL;
    *worker->shakes.last = secure;
    worker->shakes.last = &secure->next;
    NET_TALLY(worker, tls_waiting, 1);
    shakes_go_on(worker);
}

bool net_secure_seal(struct net_secure *secure, struct proto_span *frames)
{
    if (secure->shaken != TLS_SHAKEN || !tls_session_write(secure->session, *frames)) {
        return false;
    }
    *frames = tls_session_out(secure->session);
    return true;
}

void net_secure_later(struct net_secure *secure)
{
    struct net_worker *worker = secure->worker;
    if (secure->later) {
        return;
    }
    secure->later = true;
    secure->next = worker->secure_more;
    worker->secure_more = secure;
    net_worker_keep_busy(worker);
}
