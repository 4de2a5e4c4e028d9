/* SPDX-License-Identifier: Apache-2.0 */
/* Between sockets and requests: each worker of net has one of rpc, each connection a session, and
 * what net tells of a connection (bytes, its end, its guest) is handed on. Without memory for a
 * session every frame is refused; a connection whose token ends, ends. */
#include <stdlib.h>
#include <string.h>

#include "server/encrypt.h"
#include "server/serve_parts.h"

static void *worker_start(void *context, unsigned index, struct proto_fault *fault)
{
    struct server *server = context;
    return rpc_worker_create(server->rpc, index, fault);
}

static void worker_stop(void *context, void *worker)
{
    (void)context;
    rpc_worker_destroy(worker);
}

static void worker_rest(void *context, void *worker)
{
    (void)context;
    rpc_worker_rest(worker);
}

static size_t refuse_all(const struct proto_frame *frames, size_t count, struct proto_writer *out)
{
    struct proto_fault fault = {0};
    proto_fault_set(&fault, PROTO_NO_MEMORY, "", "no memory for a connection");
    for (size_t i = 0; i < count; i++) {
        uint16_t checksum = frames[i].header.flags & PROTO_FLAG_CHECKSUM;
        proto_write_fault(out, &fault, (uint16_t)(PROTO_FLAG_REPLY | checksum),
                          frames[i].header.request_id);
    }
    return 0;
}

static void peek(void *context, void *worker, struct proto_span bytes, unsigned step)
{
    (void)context;
    rpc_peek(worker, bytes, step);
}

static struct rpc_session *session_create(struct server *server, struct net_conn *conn)
{
    char address[64];
    struct rpc_session *session = calloc(1, sizeof *session);
    if (session) {
        net_conn_address(conn, address, sizeof address);
        rpc_session_open(server->rpc, session, address);
        session->guest = net_conn_guest(conn);
        net_conn_set_state(conn, session);
    }
    return session;
}

static void log_wrong_token(struct server *server, const struct net_conn *conn)
{
    char address[64];
    net_conn_address(conn, address, sizeof address);
    base_log(server->log, BASE_LOG_WARN, "rpc", "a wrong token",
             BASE_FIELDS(base_field_text("address", address)));
}

static void *take_input(void *context)
{
    return net_conn_take_input(context);
}

static size_t serve_frames(void *context, void *worker, struct net_conn *conn,
                           const struct proto_frame *frames, size_t count, struct proto_writer *out)
{
    struct rpc_session *session = net_conn_state(conn);
    if (!session) {
        session = session_create(context, conn);
        if (!session) {
            return refuse_all(frames, count, out);
        }
    }
    struct net_ticket from = net_conn_ticket(conn);
    struct rpc_batch batch = {
        .session = session,
        .frames = frames,
        .count = count,
        .read_ns = net_conn_read_ns(conn),
        .out_room = net_conn_out_room(conn),
        .out = out,
        .take = take_input,
        .take_context = conn,
    };
    memcpy(&batch.ticket, &from, sizeof from);
    unsigned wrong = session->wrong_tokens;
    rpc_session_unsent(session, net_conn_owed(conn));
    size_t later = rpc_serve(worker, &batch);
    if (session->role != PROTO_ROLE_NONE) {
        net_conn_known(conn);
    }
    if (session->wrong_tokens != wrong) {
        log_wrong_token(context, conn);
        net_conn_mistrust(conn);
    }
    if (batch.hold) {
        net_conn_hold(conn);
    }
    if (batch.done < count) {
        net_conn_stop(conn, batch.done);
    }
    return later;
}

static bool guest_enter(void *context, const struct sockaddr *from, uint32_t *guest,
                        struct proto_fault *fault)
{
    struct server *server = context;
    return door_enter(&server->door, from, base_clock_now_ns(&server->clock), guest, fault);
}

static void guest_gone(void *context, uint32_t guest)
{
    struct server *server = context;
    door_leave(&server->door, guest);
}

/* Told where a connection ends because its token does. */
static bool may_go_on(void *context, void *worker, struct net_conn *conn, struct proto_fault *fault)
{
    const struct server *server = context;
    const struct rpc_session *session = net_conn_state(conn);
    char address[64];
    (void)worker;
    if (rpc_session_stands(server->rpc, session, fault)) {
        return true;
    }
    net_conn_address(conn, address, sizeof address);
    base_log(server->log, BASE_LOG_WARN, "rpc", "a connection ends with its token",
             BASE_FIELDS(base_field_text("token", auth_grant_name(session->grant)),
                         base_field_text("address", address),
                         base_field_text("reason", fault->message)));
    return false;
}

static void stages_record(void *context, void *worker, const struct net_stages *stages)
{
    (void)context;
    struct base_metrics_block *figures = rpc_worker_figures(worker);
    base_metrics_record(figures, BASE_DISTRIBUTION_STAGE_READ, stages->read_ns);
    base_metrics_record(figures, BASE_DISTRIBUTION_STAGE_SPLIT, stages->split_ns);
    base_metrics_record(figures, BASE_DISTRIBUTION_STAGE_SERVE, stages->serve_ns);
    base_metrics_record(figures, BASE_DISTRIBUTION_STAGE_WRITE, stages->write_ns);
    base_metrics_record(figures, BASE_DISTRIBUTION_STAGE_FRAMES, stages->frames);
}

static void connection_closed(void *context, void *worker, struct net_conn *conn)
{
    struct server *server = context;
    (void)worker;
    struct rpc_session *session = net_conn_state(conn);
    if (session) {
        rpc_session_close(server->rpc, session);
        free(session);
    }
}

static void connection_finished(void *context, void *worker, struct net_conn *conn)
{
    struct server *server = context;
    (void)worker;
    struct rpc_session *session = net_conn_state(conn);
    if (session) {
        rpc_session_finish(server->rpc, session);
    }
}

static void connection_owes(void *context, void *worker, struct net_conn *conn, bool owes)
{
    (void)context;
    (void)worker;
    struct rpc_session *session = net_conn_state(conn);
    if (session) {
        rpc_session_owes(session, owes);
    }
}

static void connection_delivered(void *context, void *worker, struct net_conn *conn, size_t bytes)
{
    (void)context;
    (void)worker;
    struct rpc_session *session = net_conn_state(conn);
    if (session) {
        rpc_session_delivered(session, bytes, net_conn_owed(conn) + bytes);
    }
}

bool server_net_open(struct server *server, struct proto_fault *fault)
{
    const struct base_config *config = server->config;
    struct net_options options;
    net_options_default(&options);
    if (!server_sockets_reach(&server->sockets, door_is_open(&server->door), fault) ||
        !server_encrypt(config, &options.tls, fault)) {
        return false;
    }
    if (server->sockets.tls != 0 && options.tls == NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "tls_certificate",
                               "a socket for icps was given, and no certificate to answer with");
    }
    options.tls_host = config->tls_host;
    options.tls_port = (uint16_t)config->tls_port;
    options.host = config->host[0] ? config->host : NULL;
    options.port = (uint16_t)config->port;
    options.socket_path = config->socket_path[0] ? config->socket_path : NULL;
    options.workers = (unsigned)config->workers;
    options.accepts_max = (unsigned)config->accepts_max;
    options.connections_max = (unsigned)config->connections_max;
    options.frame_bytes_max = config->frame_bytes_max;
    options.pending_max = (unsigned)config->pending_max;
    options.out_bytes_high = config->out_bytes_high;
    options.out_bytes_max = config->out_bytes_max;
    options.bytes_max = config->buffers_bytes_max;
    options.strangers = !door_is_open(&server->door);
    options.stranger_ms = (unsigned)config->token_ms;
    options.first_byte_ms = (unsigned)config->first_byte_ms;
    options.frame_ms = (unsigned)config->frame_ms;
    options.idle_ms = (unsigned)config->idle_ms;
    options.write_ms = (unsigned)config->write_ms;
    options.now_ns = server->clock.now_ns;
    options.now_context = server->clock.context;
    options.log = server->log;
    options.tcp_fd = server->sockets.tcp;
    options.tls_fd = server->sockets.tls;
    options.local_fd = server->sockets.local;
    server->sockets = (struct server_sockets){.http = server->sockets.http};
    const struct net_handler handler = {
        .context = server,
        .on_worker_start = worker_start,
        .on_worker_stop = worker_stop,
        .on_rest = worker_rest,
        .on_peek = peek,
        .on_frames = serve_frames,
        .on_close = connection_closed,
        .on_finish = connection_finished,
        .on_owes = connection_owes,
        .on_delivered = connection_delivered,
        .on_guest = guest_enter,
        .on_guest_gone = guest_gone,
        .on_look = may_go_on,
        .on_stages = stages_record,
    };
    server->net = net_server_create(&options, &handler, fault);
    tls_context_drop(options.tls);
    return server->net != NULL;
}
