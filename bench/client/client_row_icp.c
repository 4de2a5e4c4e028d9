/* SPDX-License-Identifier: Apache-2.0 */
/* libicp: one request after the other, many in flight, and threads that share a pool. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "bench/client/client_row.h"
#include "bench/load/load_account.h"
#include "client/icp_pool.h"

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool fault_of(const struct icp_fault *from, struct proto_fault *fault)
{
    return proto_fault_set(fault, (enum proto_error)from->code, from->field, "libicp: %s",
                           from->message);
}

/* Scattered over the base, the same for both servers. */
static void id_write(char id[LOAD_ID_BYTES + 1], uint64_t number)
{
    load_account_id(number * 2654435761U % CLIENT_ROW_ACCOUNTS, id);
}

static bool ask(struct icp_client *client, bool is_score, uint64_t number, struct icp_reply *reply,
                struct icp_score *score, struct icp_fault *fault)
{
    char id[LOAD_ID_BYTES + 1];
    if (!is_score) {
        bool pinged = icp_call_PING(client, NULL, reply);
        *fault = reply->fault;
        return pinged;
    }
    id_write(id, number);
    const struct icp_query query = {ICP_QUERY, .id = id};
    return icp_score_lead(client, &query, score, fault);
}

static bool one_by_one(const char *uri, bool is_score, double seconds,
                       struct client_row_result *result, struct proto_fault *fault)
{
    struct icp_fault found;
    struct icp_reply reply = {0};
    struct icp_score score = {ICP_SCORE};
    struct icp_client *client = icp_connect(uri, NULL, &found);
    if (client == NULL) {
        return fault_of(&found, fault);
    }
    bool asked = true;
    uint64_t count = 0;
    double began_s = clock_s(CLOCK_MONOTONIC);
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double over_s = began_s;
    for (; asked && over_s - began_s < seconds; over_s = clock_s(CLOCK_MONOTONIC)) {
        for (int i = 0; asked && i < 64; i++) {
            asked = ask(client, is_score, count++, &reply, &score, &found);
        }
    }
    result->rate = (double)count / (over_s - began_s);
    result->cpu_ns = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s) * 1e9 / (double)count;
    icp_reply_fini(&reply);
    icp_score_fini(&score);
    icp_close(client);
    return asked || fault_of(&found, fault);
}

static bool batch(struct icp_client *client, bool is_score, uint64_t *count,
                  struct icp_reply *reply, struct icp_score *score, struct icp_fault *fault)
{
    char id[LOAD_ID_BYTES + 1];
    for (int i = 0; i < CLIENT_ROW_DEPTH; i++) {
        id_write(id, (*count)++);
        const struct icp_query query = {ICP_QUERY, .id = id};
        uint32_t sent = is_score ? icp_score_send(client, &query, fault)
                                 : icp_send(client, ICP_OP_PING, NULL, fault);
        if (sent == 0) {
            return false;
        }
    }
    for (int i = 0; i < CLIENT_ROW_DEPTH; i++) {
        bool received = is_score ? icp_score_receive(client, 0, 0, score, fault)
                                 : icp_receive(client, 0, 0, reply);
        if (!received) {
            return false;
        }
    }
    return true;
}

static bool in_batches(const char *uri, bool is_score, double seconds,
                       struct client_row_result *result, struct proto_fault *fault)
{
    struct icp_fault found;
    struct icp_reply reply = {0};
    struct icp_score score = {ICP_SCORE};
    struct icp_client *client = icp_connect(uri, NULL, &found);
    if (client == NULL) {
        return fault_of(&found, fault);
    }
    bool asked = true;
    uint64_t count = 0;
    double began_s = clock_s(CLOCK_MONOTONIC);
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double over_s = began_s;
    for (; asked && over_s - began_s < seconds; over_s = clock_s(CLOCK_MONOTONIC)) {
        asked = batch(client, is_score, &count, &reply, &score, &found);
    }
    result->rate = (double)count / (over_s - began_s);
    result->cpu_ns = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s) * 1e9 / (double)count;
    icp_reply_fini(&reply);
    icp_score_fini(&score);
    icp_close(client);
    return asked || fault_of(&found, fault);
}

bool client_row_icp_ping(const struct client_row_target *target, struct client_row_result *result,
                         struct proto_fault *fault)
{
    return one_by_one(target->uri, false, target->seconds, result, fault);
}

bool client_row_icp_score(const struct client_row_target *target, struct client_row_result *result,
                          struct proto_fault *fault)
{
    return one_by_one(target->uri, true, target->seconds, result, fault);
}

bool client_row_icp_pings(const struct client_row_target *target, struct client_row_result *result,
                          struct proto_fault *fault)
{
    return in_batches(target->uri, false, target->seconds, result, fault);
}

bool client_row_icp_scores(const struct client_row_target *target, struct client_row_result *result,
                           struct proto_fault *fault)
{
    return in_batches(target->uri, true, target->seconds, result, fault);
}

bool client_row_icp_far(const struct client_row_target *target, struct client_row_result *result,
                        struct proto_fault *fault)
{
    return one_by_one(target->delayed_uri, true, target->seconds, result, fault);
}

/* A pool. */

struct sharer {
    pthread_t thread;
    struct icp_pool *pool;
    atomic_bool *is_over;
    uint64_t count;
    struct icp_fault fault;
    bool failed;
};

static void *share(void *context)
{
    struct sharer *sharer = context;
    struct icp_score score = {ICP_SCORE};
    char id[LOAD_ID_BYTES + 1];
    while (!atomic_load(sharer->is_over) && !sharer->failed) {
        id_write(id, sharer->count);
        const struct icp_query query = {ICP_QUERY, .id = id};
        sharer->failed = !icp_pool_score(sharer->pool, &query, &score, &sharer->fault);
        sharer->count++;
    }
    icp_score_fini(&score);
    return NULL;
}

bool client_row_icp_pool(const struct client_row_target *target, struct client_row_result *result,
                         struct proto_fault *fault)
{
    const struct icp_pool_options bound = {ICP_POOL_OPTIONS, .connections_max = CLIENT_ROW_THREADS};
    struct sharer sharers[CLIENT_ROW_THREADS];
    struct icp_fault found;
    atomic_bool is_over = false;
    uint64_t count = 0;
    bool shared = true;
    struct icp_pool *pool = icp_pool_create(target->delayed_uri, NULL, &bound, &found);
    if (pool == NULL) {
        return fault_of(&found, fault);
    }
    size_t started = 0;
    for (; started < CLIENT_ROW_THREADS; started++) {
        sharers[started] = (struct sharer){.pool = pool, .is_over = &is_over};
        if (pthread_create(&sharers[started].thread, NULL, share, &sharers[started]) != 0) {
            break;
        }
    }
    double began_s = clock_s(CLOCK_MONOTONIC);
    const struct timespec time = {
        .tv_sec = (time_t)target->seconds,
        .tv_nsec = (long)((target->seconds - (double)(time_t)target->seconds) * 1e9)};
    nanosleep(&time, NULL);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < started; i++) {
        pthread_join(sharers[i].thread, NULL);
        count += sharers[i].count;
        if (sharers[i].failed) {
            shared = fault_of(&sharers[i].fault, fault);
        }
    }
    result->rate = (double)count / (clock_s(CLOCK_MONOTONIC) - began_s);
    icp_pool_destroy(pool);
    return shared;
}
