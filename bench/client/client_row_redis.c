/* SPDX-License-Identifier: Apache-2.0 */
/* hiredis against redis-server: PING and GET, one after the other and many in flight. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#include "bench/client/client_row.h"

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static redisContext *redis_open(uint16_t port, struct proto_fault *fault)
{
    redisContext *redis = redisConnect("127.0.0.1", port);
    if (redis != NULL && redis->err == 0) {
        return redis;
    }
    proto_fault_set(fault, PROTO_CONNECT, "", "hiredis: %s",
                    redis != NULL ? redis->errstr : "no memory");
    if (redis != NULL) {
        redisFree(redis);
    }
    return NULL;
}

/* Takes a reply; false with *fault if it is none or another kind. */
static bool reply_check(redisContext *redis, void *taken, int type, struct proto_fault *fault)
{
    redisReply *reply = taken;
    if (reply != NULL && reply->type == type) {
        freeReplyObject(reply);
        return true;
    }
    proto_fault_set(fault, PROTO_BAD_REPLY, "", "hiredis: %s",
                    reply != NULL && reply->str != NULL ? reply->str : redis->errstr);
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return false;
}

static unsigned number_of(uint64_t count)
{
    return (unsigned)(count * 2654435761U % CLIENT_ROW_ACCOUNTS);
}

bool client_row_redis_fill(uint16_t port, struct proto_fault *fault)
{
    redisContext *redis = redis_open(port, fault);
    bool stored = redis != NULL;
    /* As many bytes as a score has as a reply. */
    for (unsigned i = 0; stored && i < CLIENT_ROW_ACCOUNTS; i++) {
        stored = reply_check(redis, redisCommand(redis, "SET acct-%08u %070u", i, i),
                             REDIS_REPLY_STATUS, fault);
    }
    if (redis != NULL) {
        redisFree(redis);
    }
    return stored;
}

static bool one_by_one(const struct client_row_target *target, bool is_get,
                       struct client_row_result *result, struct proto_fault *fault)
{
    redisContext *redis = redis_open(target->redis_port, fault);
    if (redis == NULL) {
        return false;
    }
    bool asked = true;
    uint64_t count = 0;
    double began_s = clock_s(CLOCK_MONOTONIC);
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double over_s = began_s;
    for (; asked && over_s - began_s < target->seconds; over_s = clock_s(CLOCK_MONOTONIC)) {
        for (int i = 0; asked && i < 64; i++, count++) {
            void *reply = is_get ? redisCommand(redis, "GET acct-%08u", number_of(count))
                                 : redisCommand(redis, "PING");
            asked =
                reply_check(redis, reply, is_get ? REDIS_REPLY_STRING : REDIS_REPLY_STATUS, fault);
        }
    }
    result->rate = (double)count / (over_s - began_s);
    result->cpu_ns = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s) * 1e9 / (double)count;
    redisFree(redis);
    return asked;
}

static bool batch(redisContext *redis, bool is_get, uint64_t *count, struct proto_fault *fault)
{
    for (int i = 0; i < CLIENT_ROW_DEPTH; i++, ++*count) {
        int added = is_get ? redisAppendCommand(redis, "GET acct-%08u", number_of(*count))
                           : redisAppendCommand(redis, "PING");
        if (added != REDIS_OK) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "hiredis: %s", redis->errstr);
        }
    }
    for (int i = 0; i < CLIENT_ROW_DEPTH; i++) {
        void *reply = NULL;
        (void)redisGetReply(redis, &reply);
        if (!reply_check(redis, reply, is_get ? REDIS_REPLY_STRING : REDIS_REPLY_STATUS, fault)) {
            return false;
        }
    }
    return true;
}

static bool in_batches(const struct client_row_target *target, bool is_get,
                       struct client_row_result *result, struct proto_fault *fault)
{
    redisContext *redis = redis_open(target->redis_port, fault);
    if (redis == NULL) {
        return false;
    }
    bool asked = true;
    uint64_t count = 0;
    double began_s = clock_s(CLOCK_MONOTONIC);
    double cpu_s = clock_s(CLOCK_THREAD_CPUTIME_ID);
    double over_s = began_s;
    for (; asked && over_s - began_s < target->seconds; over_s = clock_s(CLOCK_MONOTONIC)) {
        asked = batch(redis, is_get, &count, fault);
    }
    result->rate = (double)count / (over_s - began_s);
    result->cpu_ns = (clock_s(CLOCK_THREAD_CPUTIME_ID) - cpu_s) * 1e9 / (double)count;
    redisFree(redis);
    return asked;
}

bool client_row_redis_ping(const struct client_row_target *target, struct client_row_result *result,
                           struct proto_fault *fault)
{
    return one_by_one(target, false, result, fault);
}

bool client_row_redis_get(const struct client_row_target *target, struct client_row_result *result,
                          struct proto_fault *fault)
{
    return one_by_one(target, true, result, fault);
}

bool client_row_redis_pings(const struct client_row_target *target,
                            struct client_row_result *result, struct proto_fault *fault)
{
    return in_batches(target, false, result, fault);
}

bool client_row_redis_gets(const struct client_row_target *target, struct client_row_result *result,
                           struct proto_fault *fault)
{
    return in_batches(target, true, result, fault);
}
