/* SPDX-License-Identifier: Apache-2.0 */
/* hello, ping, stats and jobs. */
#include <string.h>

#include "server/rpc/call.h"
#include "server/rpc/rpc_member.h"

#define SERVER_NAME "icpd/" ICP_VERSION

/* The role of one of the three tokens that the configuration has, or of a named one. */
static enum proto_role role_of(struct rpc_call *call, struct proto_span token,
                               struct auth_grant **grant, struct proto_fault *fault)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    enum proto_role role = auth_role(&options->tokens, token);
    *grant = NULL;
    if (role != PROTO_ROLE_NONE) {
        return role;
    }
    if (!options->book) {
        proto_fault_set(fault, PROTO_BAD_TOKEN, "token", "the token is not known");
        return PROTO_ROLE_NONE;
    }
    *grant = auth_book_enter(options->book, token, engine_now_ms(options->engine), fault);
    return *grant ? auth_grant_role(*grant) : PROTO_ROLE_NONE;
}

/* An address that showed too many wrong tokens of late has to wait with the next, right or not. */
static bool may_try(struct rpc_call *call, struct proto_fault *fault)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    uint64_t wait_ns = 0;
    if (!options->addresses ||
        auth_guest_may_try(options->addresses, call->session->guest,
                           options->now_ns(options->now_context), &wait_ns)) {
        return true;
    }
    uint32_t wait_ms = rpc_wait_ms(wait_ns);
    rpc_tally(call, BASE_METRIC_LOGINS_HELD, 1);
    proto_fault_set(fault, PROTO_BUSY, "token",
                    "too many wrong tokens came from this address: wait %u ms before the next",
                    wait_ms);
    fault->retry_after_ms = wait_ms;
    return false;
}

static void note_wrong(struct rpc_call *call)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    call->session->wrong_tokens++;
    if (options->addresses) {
        auth_guest_was_wrong(options->addresses, call->session->guest,
                             options->now_ns(options->now_context));
    }
}

static bool take_role(struct rpc_call *call, struct proto_fault *fault)
{
    struct rpc_session *session = call->session;
    struct auth_grant *grant;
    struct proto_span token = rpc_arg_text(call, PROTO_Q_HELLO_TOKEN);
    if (!call->args[PROTO_Q_HELLO_TOKEN].present || call->worker->rpc->open) {
        return true;
    }
    if (!may_try(call, fault)) {
        return false;
    }
    enum proto_role role = role_of(call, token, &grant, fault);
    if (role == PROTO_ROLE_NONE) {
        rpc_tally(call, BASE_METRIC_LOGINS_REFUSED, 1);
        if (fault->code == PROTO_BAD_TOKEN) {
            note_wrong(call);
        }
        return false;
    }
    auth_grant_leave(session->grant);
    session->grant = grant;
    session->role = role;
    rpc_tally(call, BASE_METRIC_LOGINS, 1);
    return true;
}

/* The log hears once of a connection: a client that greets in a loop must not fill it. */
static void tell_hello(struct rpc_call *call, enum proto_role role)
{
    const struct rpc_options *options = &call->worker->rpc->options;
    struct proto_span given = rpc_arg_text(call, PROTO_Q_HELLO_CLIENT);
    char client[RPC_CLIENT_BYTES_MAX + 1];
    size_t bytes = given.bytes < RPC_CLIENT_BYTES_MAX ? given.bytes : RPC_CLIENT_BYTES_MAX;
    if (bytes > 0) {
        memcpy(client, given.data, bytes);
    }
    client[bytes] = '\0';
    const char *token = call->session->grant ? auth_grant_name(call->session->grant) : "";
    rpc_person_name(call->session->person, client, token, role);
    if (!options->on_hello || call->session->greeted) {
        return;
    }
    call->session->greeted = true;
    options->on_hello(options->hello_context, client, token, role);
}

enum rpc_outcome rpc_on_HELLO(struct rpc_call *call, struct proto_fault *fault)
{
    if (!take_role(call, fault)) {
        return RPC_FAILED;
    }
    const struct engine_state *state = rpc_state(call);
    struct proto_writer *out = call->out;
    enum proto_role role = call->worker->rpc->open ? PROTO_ROLE_ADMIN : call->session->role;
    tell_hello(call, role);
    uint64_t log = engine_log_id(call->worker->rpc->options.engine);
    proto_write_map(out, log != 0 ? 8 : 7);
    rpc_put_text(out, call->op, PROTO_A_HELLO_SERVER, SERVER_NAME);
    rpc_put_uint(out, call->op, PROTO_A_HELLO_PROTOCOL, PROTO_VERSION);
    rpc_put_text(out, call->op, PROTO_A_HELLO_ROLE, proto_role_name(role));
    size_t count;
    const struct proto_limit_info *limits = proto_limits(&count);
    rpc_key(out, call->op, PROTO_A_HELLO_LIMITS);
    proto_write_map(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_text(out, limits[i].name);
        proto_write_uint(out, limits[i].value);
    }
    rpc_put_uint(out, call->op, PROTO_A_HELLO_SCHEMA, state->schema ? state->schema->version : 0);
    rpc_put_uint(out, call->op, PROTO_A_HELLO_ICP, state->active ? state->active->version : 0);
    if (log != 0) {
        rpc_put_uint(out, call->op, PROTO_A_HELLO_LOG, log);
    }
    rpc_put_flag(out, call->op, PROTO_A_HELLO_OPERATIONS, true);
    return RPC_DONE;
}

enum rpc_outcome rpc_on_PING(struct rpc_call *call, struct proto_fault *fault)
{
    (void)fault;
    proto_write_map(call->out, 1);
    rpc_put_uint(call->out, call->op, PROTO_A_PING_TIME,
                 (uint64_t)engine_now_ms(call->worker->rpc->options.engine));
    return RPC_DONE;
}

enum rpc_outcome rpc_on_STATS(struct rpc_call *call, struct proto_fault *fault)
{
    (void)fault;
    const struct rpc_options *options = &call->worker->rpc->options;
    proto_write_map(call->out, 1);
    rpc_key(call->out, call->op, PROTO_A_STATS_METRICS);
    options->stats_write(options->stats_context, call->out);
    return RPC_DONE;
}

enum { JOBS_LISTED_MAX = 96 };

enum rpc_outcome rpc_on_JOB_LIST(struct rpc_call *call, struct proto_fault *fault)
{
    struct engine_job_info *jobs =
        base_arena_array(&call->worker->arena, JOBS_LISTED_MAX, sizeof *jobs);
    if (!jobs) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list");
        return RPC_FAILED;
    }
    size_t count = engine_jobs(call->worker->rpc->options.engine, jobs, JOBS_LISTED_MAX);
    struct proto_writer *out = call->out;
    proto_write_map(out, 1);
    rpc_key(out, call->op, PROTO_A_JOB_LIST_JOBS);
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_map(out, 9);
        rpc_member_uint(out, RPC_MEMBER(JOB, JOB), jobs[i].job);
        rpc_member_text(out, RPC_MEMBER(JOB, OP), proto_op_find((uint8_t)jobs[i].op)->name);
        rpc_member_text(out, RPC_MEMBER(JOB, STATE), engine_job_state_name(jobs[i].state));
        rpc_member_text(out, RPC_MEMBER(JOB, STAGE), jobs[i].stage);
        rpc_member_number(out, RPC_MEMBER(JOB, DONE), jobs[i].done);
        rpc_member_uint(out, RPC_MEMBER(JOB, ICP), jobs[i].icp);
        rpc_member_text(out, RPC_MEMBER(JOB, ERROR), jobs[i].fault.message);
        rpc_member_int(out, RPC_MEMBER(JOB, STARTED), jobs[i].started_ms);
        rpc_member_int(out, RPC_MEMBER(JOB, ENDED), jobs[i].ended_ms);
    }
    return RPC_DONE;
}

enum rpc_outcome rpc_on_JOB_CANCEL(struct rpc_call *call, struct proto_fault *fault)
{
    uint64_t job = rpc_arg_uint(call, PROTO_Q_JOB_CANCEL_JOB);
    if (!engine_job_cancel(call->worker->rpc->options.engine, job, fault)) {
        return RPC_FAILED;
    }
    proto_write_map(call->out, 1);
    rpc_put_uint(call->out, call->op, PROTO_A_JOB_CANCEL_JOB, job);
    return RPC_DONE;
}
