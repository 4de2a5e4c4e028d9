/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/thread.h"
#include "server/net/net_worker.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_THREAD_SANITIZER
#endif
#endif

#ifdef WITH_THREAD_SANITIZER
const char *__tsan_default_suppressions(void);

/* libuv closes descriptors by a system call that ThreadSanitizer does not see, so it takes the next
 * use of the same number for a race with the first. Only the making of descriptors is excused. */
const char *__tsan_default_suppressions(void)
{
    return "race_top:interceptor_accept4\nrace_top:interceptor_open\n"
           "race_top:interceptor_socket\nrace_top:interceptor_epoll_create1\n"
           "race_top:interceptor_eventfd\n";
}
#endif

/* An eighth of the shortest deadline, so that none is late by much more than that. */
static unsigned sweep_period_ms(const struct net_options *options)
{
    unsigned limits[] = {options->first_byte_ms, options->frame_ms, options->idle_ms,
                         options->write_ms};
    unsigned period = NET_SWEEP_MS_MAX;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i] > 0 && limits[i] / 8 < period) {
            period = limits[i] / 8;
        }
    }
    return period < NET_SWEEP_MS_MIN ? NET_SWEEP_MS_MIN : period;
}

static bool workers_init(struct net_server *server, struct proto_fault *fault)
{
    server->workers = calloc(server->options.workers, sizeof *server->workers);
    if (server->workers == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u workers",
                               server->options.workers);
    }
    server->workers_count = server->options.workers;
    for (; server->workers_ready < server->workers_count; server->workers_ready++) {
        if (!net_worker_init(&server->workers[server->workers_ready], server, server->workers_ready,
                             fault)) {
            return false;
        }
    }
    return true;
}

static bool listeners_init(struct net_server *server, struct proto_fault *fault)
{
    const struct net_options *options = &server->options;
    /* First those that were given, so that they are closed whatever fails. */
    if ((options->tcp_fd != 0 && !net_listen_given(server, options->tcp_fd, NET_TCP, fault)) ||
        (options->tls_fd != 0 && !net_listen_given(server, options->tls_fd, NET_TLS, fault)) ||
        (options->local_fd != 0 && !net_listen_given(server, options->local_fd, NET_UNIX, fault))) {
        return false;
    }
    if (options->host != NULL && options->tcp_fd == 0 && !net_listen_tcp(server, fault)) {
        return false;
    }
    if (options->socket_path != NULL && options->local_fd == 0 &&
        !net_listen_local(server, fault)) {
        return false;
    }
    if (options->tls != NULL && options->tls_fd == 0 && !net_listen_tls(server, fault)) {
        return false;
    }
    for (unsigned i = 0; i < server->workers_count; i++) {
        if (!net_listener_poll(&server->workers[i].tcp) ||
            !net_listener_poll(&server->workers[i].local) ||
            !net_listener_poll(&server->workers[i].tls)) {
            return proto_fault_set(fault, PROTO_IO, "", "cannot poll a listening socket");
        }
    }
    return true;
}

struct net_server *net_server_create(const struct net_options *options,
                                     const struct net_handler *handler, struct proto_fault *fault)
{
    assert(handler->on_frames != NULL);
    struct net_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a server");
        return NULL;
    }
    server->options = *options;
    server->handler = *handler;
    if (server->options.tls != NULL) {
        tls_context_share(server->options.tls);
    }
    pthread_mutex_init(&server->tls_lock, NULL);
    pthread_mutex_init(&server->begun_lock, NULL);
    pthread_cond_init(&server->begun, NULL);
    net_shakers_init(&server->shakers);
    if (!net_options_check(&server->options, fault) || !workers_init(server, fault) ||
        !listeners_init(server, fault)) {
        net_server_destroy(server);
        return NULL;
    }
    server->sweep_ms = sweep_period_ms(&server->options);
    return server;
}

static int threads_start(struct net_server *server)
{
    int rc = server->options.tls == NULL
                 ? 0
                 : net_shakers_start(&server->shakers, server->workers_count);
    for (; rc == 0 && server->workers_started < server->workers_count;) {
        struct net_worker *worker = &server->workers[server->workers_started];
        rc = base_thread_start(&worker->thread, net_worker_run, worker);
        if (rc == 0) {
            char name[16];
            snprintf(name, sizeof name, "net-%u", server->workers_started++);
            pthread_setname_np(worker->thread, name);
        }
    }
    return rc;
}

bool net_server_start(struct net_server *server, struct proto_fault *fault)
{
    struct proto_fault refused = {0};
    int rc = threads_start(server);
    if (rc != 0) {
        proto_fault_set(&refused, PROTO_IO, "", "cannot start a worker: %s", strerror(rc));
    }
    pthread_mutex_lock(&server->begun_lock);
    while (server->workers_begun < server->workers_started) {
        pthread_cond_wait(&server->begun, &server->begun_lock);
    }
    if (refused.code == PROTO_OK) {
        refused = server->begun_fault;
    }
    pthread_mutex_unlock(&server->begun_lock);
    if (refused.code == PROTO_OK) {
        return true;
    }
    net_server_drain(server, 0);
    net_server_join(server);
    *fault = refused;
    return false;
}

unsigned net_server_port(const struct net_server *server)
{
    return server->port;
}

unsigned net_server_tls_port(const struct net_server *server)
{
    return server->tls_port;
}

void net_server_tls_set(struct net_server *server, struct tls_context *tls)
{
    assert(server->options.tls != NULL);
    pthread_mutex_lock(&server->tls_lock);
    struct tls_context *before = server->options.tls;
    server->options.tls = tls_context_share(tls);
    pthread_mutex_unlock(&server->tls_lock);
    tls_context_drop(before);
}

bool net_server_crowded(const struct net_server *server)
{
    return atomic_load_explicit(&server->held, memory_order_relaxed) > server->options.bytes_max;
}

unsigned net_server_workers(const struct net_server *server)
{
    return server->workers_count;
}

void net_server_drain(struct net_server *server, unsigned grace_ms)
{
    uint64_t until_ns = net_server_now(server) + grace_ms * UINT64_C(1000000);
    atomic_store(&server->drain_until_ns, until_ns);
    atomic_store(&server->draining, true);
    for (unsigned i = 0; i < server->workers_started; i++) {
        net_bell_ring(&server->workers[i].wake);
    }
}

void net_server_join(struct net_server *server)
{
    if (server->joined) {
        return;
    }
    server->joined = true;
    for (unsigned i = 0; i < server->workers_started; i++) {
        pthread_join(server->workers[i].thread, NULL);
    }
}

void net_server_destroy(struct net_server *server)
{
    if (server == NULL) {
        return;
    }
    if (!server->joined && server->workers_started > 0) {
        net_server_drain(server, 0);
        net_server_join(server);
    }
    /* Worker 0 hands sockets to the others, so all have ended before any is taken apart; and last
     * come the sessions that were worked on. */
    net_shakers_fini(&server->shakers);
    for (unsigned i = 0; i < server->workers_ready; i++) {
        net_worker_fini(&server->workers[i]);
    }
    pthread_cond_destroy(&server->begun);
    tls_context_drop(server->options.tls);
    pthread_mutex_destroy(&server->tls_lock);
    pthread_mutex_destroy(&server->begun_lock);
    free(server->workers);
    free(server);
}

void net_server_counters(const struct net_server *server, struct net_counters *counters)
{
    *counters = (struct net_counters){0};
    for (unsigned i = 0; i < server->workers_count; i++) {
        const struct net_tally *tally = &server->workers[i].tally;
#define X(NAME, kind, help)                                                                        \
    counters->NAME += atomic_load_explicit(&tally->NAME, memory_order_relaxed);
#include "server/net/net_counter.def"
#undef X
    }
    /* These two are kept for the server as a whole, since they are limits in all. */
    counters->connections_open = atomic_load_explicit(&server->open, memory_order_relaxed);
    counters->bytes_held = atomic_load_explicit(&server->held, memory_order_relaxed);
}

const struct net_counter_info *net_counter_infos(size_t *count)
{
    static const struct net_counter_info infos[] = {
#define X(NAME, kind, help) {#NAME, NET_##kind, help, offsetof(struct net_counters, NAME)},
#include "server/net/net_counter.def"
#undef X
    };
    *count = sizeof infos / sizeof *infos;
    return infos;
}
