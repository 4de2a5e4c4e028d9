/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <sched.h>
#include <stdlib.h>

#include "server/base/thread_slice.h"
#include "server/net/net_worker.h"

static void turn_end(struct net_worker *worker)
{
    worker->now_known = false;
    worker->turn_begun = false;
}

/* A turn ends before the loop waits and again after it has polled: timers run in between, and what
 * they serve must not use a snapshot from before the wait. */
static void on_before_poll(uv_prepare_t *handle)
{
    turn_end(handle->data);
    net_stages_begin(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    net_conn_serve_gathered(handle->data);
    net_stages_tell(handle->data);
    turn_end(handle->data);
}

static void on_busy(uv_idle_t *handle)
{
    struct net_worker *worker = handle->data;
    uv_idle_stop(handle);
    net_conn_resume_stopped(worker);
    net_conn_secure_resume(worker);
}

static void on_wake(void *context)
{
    struct net_worker *worker = context;
    if (!worker->draining && atomic_load(&worker->server->draining)) {
        net_sweep_drain_begin(worker);
        net_worker_end_if_done(worker);
    }
    net_mail_deliver(worker);
}

/* A ring that the kernel refused, which it may where it is out of memory, is heard now. */
static void on_tick(uv_timer_t *timer)
{
    on_wake(timer->data);
    net_sweep_tick(timer->data);
}

static bool buffers_init(struct net_worker *worker)
{
    worker->frames = malloc(NET_BATCH_FRAMES * sizeof *worker->frames);
    worker->read_buffer = malloc(NET_SMALL_BYTES + NET_READ_BYTES);
    proto_writer_init(&worker->out);
    bool secure = worker->server->options.tls != NULL;
    worker->cipher_buffer = secure ? malloc(NET_READ_BYTES) : NULL;
    return worker->frames != NULL && worker->read_buffer != NULL &&
           (!secure || worker->cipher_buffer != NULL);
}

/* The handles of a worker, without its listeners. */
static int handles_init(struct net_worker *worker)
{
    int rc = net_bell_init(&worker->wake, &worker->loop, on_wake, worker);
    if (rc != 0) {
        return rc;
    }
    /* These neither allocate nor fail in libuv. */
    rc = uv_timer_init(&worker->loop, &worker->timer) |
         uv_timer_init(&worker->loop, &worker->pace) |
         uv_prepare_init(&worker->loop, &worker->before_poll) |
         uv_check_init(&worker->loop, &worker->after_poll) |
         uv_idle_init(&worker->loop, &worker->busy);
    assert(rc == 0);
    worker->timer.data = worker->pace.data = worker->before_poll.data = worker->after_poll.data =
        worker->busy.data = worker;
    return 0;
}

static void loop_fault(struct proto_fault *fault, int rc)
{
    enum proto_error code = rc == UV_ENOMEM ? PROTO_NO_MEMORY : PROTO_IO;
    proto_fault_set(fault, code, "", "cannot make an event loop: %s", uv_strerror(rc));
}

bool net_worker_init(struct net_worker *worker, struct net_server *server, uint32_t index,
                     struct proto_fault *fault)
{
    worker->server = server;
    worker->index = index;
    worker->slots_free = UINT32_MAX;
    worker->reserve_fd = -1;
    worker->on_busy = on_busy;
    worker->wake.fd = -1;
    worker->shakes.last = &worker->shakes.first;
    net_listener_init(&worker->tcp, worker, NET_TCP);
    net_listener_init(&worker->local, worker, NET_UNIX);
    net_listener_init(&worker->tls, worker, NET_TLS);
    if (!buffers_init(worker)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the buffers of a worker");
        goto free_buffers;
    }
    int rc = uv_loop_init(&worker->loop);
    if (rc != 0) {
        loop_fault(fault, rc);
        goto free_buffers;
    }
    rc = handles_init(worker);
    if (rc != 0) {
        loop_fault(fault, rc);
        uv_loop_close(&worker->loop);
        goto free_buffers;
    }
    return true;

free_buffers:
    free(worker->frames);
    free(worker->read_buffer);
    free(worker->cipher_buffer);
    proto_writer_fini(&worker->out);
    return false;
}

static void pin(struct net_worker *worker)
{
    cpu_set_t usable;
    cpu_set_t one;
    if (sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) == 0) {
        return;
    }
    unsigned skip = worker->index % (unsigned)CPU_COUNT(&usable);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &usable) || skip-- > 0) {
            continue;
        }
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0) {
            net_worker_log(worker, BASE_LOG_WARN, "a worker could not be pinned to a processor",
                           BASE_FIELDS(base_field_uint("worker", worker->index),
                                       base_field_uint("processor", cpu)));
        }
        return;
    }
}

/* Tells net_server_start how it went. False: this worker only waits for the drain that follows. */
static bool begin(struct net_worker *worker)
{
    struct net_server *server = worker->server;
    const struct net_handler *handler = &server->handler;
    struct proto_fault fault = {0};
    if (handler->on_worker_start != NULL) {
        worker->context = handler->on_worker_start(handler->context, worker->index, &fault);
    }
    bool ready = handler->on_worker_start == NULL || worker->context != NULL;
    pthread_mutex_lock(&server->begun_lock);
    server->workers_begun++;
    if (!ready) {
        server->begun_fault = fault;
    }
    pthread_cond_signal(&server->begun);
    pthread_mutex_unlock(&server->begun_lock);
    return ready;
}

void *net_worker_run(void *argument)
{
    struct net_worker *worker = argument;
    struct net_server *server = worker->server;
    const struct net_handler *handler = &server->handler;
    if (server->options.pin_workers) {
        pin(worker);
    }
    /* A score takes microseconds: it shall not wait for the slice of a fold or a measure. */
    (void)base_thread_slice_set(BASE_THREAD_SLICE_US_MIN);
    bool ready = begin(worker);
    uv_prepare_start(&worker->before_poll, on_before_poll);
    uv_check_start(&worker->after_poll, on_after_poll);
    uv_timer_start(&worker->timer, on_tick, server->sweep_ms, server->sweep_ms);
    if (ready) {
        net_accept_tick(worker); /* starts the listeners */
    }
    net_bell_ring(&worker->wake); /* a drain may have come before the thread */
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    turn_end(worker);
    assert(worker->draining && worker->open == 0);
    if (ready && handler->on_worker_stop != NULL) {
        handler->on_worker_stop(handler->context, worker->context);
    }
    return NULL;
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void net_worker_fini(struct net_worker *worker)
{
    net_mail_drop_all(worker);
    net_accept_fini(worker);
    uv_walk(&worker->loop, close_handle, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&worker->loop);
    assert(rc == 0); /* every handle was closed */
    (void)rc;
    net_bell_fini(&worker->wake);
    free(worker->slots);
    free(worker->frames);
    free(worker->read_buffer);
    free(worker->cipher_buffer);
    proto_writer_fini(&worker->out);
}
