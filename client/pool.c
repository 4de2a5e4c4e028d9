/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that threads borrow. Happy path: one is free and is lent, the one given back last first,
 * because it is connected and its memory is warm. Where none is free and the bound is reached the
 * thread queues; whoever gives a client back hands it to the first of the queue, so that nobody who
 * comes later overtakes. A thread whose deadline passes leaves the queue. */
#include "client/icp_pool.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

#include "client/client.h"

#define CONNECTIONS 8
#define CONNECTIONS_MAX 1024
#define TEXTS 5 /* name, token and files of TLS */
/* Bytes of the struct in version 0.1: this never changes again. */
#define POOL_OPTIONS_BYTES_FIRST sizeof(struct icp_pool_options)

/* A thread in the queue, on its own stack. */
struct waiter {
    struct waiter *next;
    pthread_cond_t came;
    struct icp_client *client; /* what it was handed */
};

struct icp_pool {
    pthread_mutex_t lock; /* of everything below it */
    struct icp_client *free_first;
    struct icp_client *free_last;
    struct waiter *waiter_first;
    struct waiter *waiter_last;
    uint32_t clients;
    uint32_t lent;
    uint32_t waiting;
    uint32_t connections_max;
    struct client_token token; /* of whoever wrote last: all clients read what it wrote */
    /* what clients are made from, and never changes */
    struct icp_options options;
    uint32_t call_timeout_ms;
    char *uri;
    char *texts[TEXTS]; /* of the options, copied */
};

/* Texts of the options that clients made later are still to have. */
static const char **text_of(struct icp_options *options, unsigned text)
{
    const char **all[TEXTS] = {&options->name, &options->token, &options->tls_ca,
                               &options->tls_certificate, &options->tls_key};
    return all[text];
}

static bool pool_prepare(struct icp_pool *pool, const char *uri,
                         const struct icp_pool_options *pool_options, struct proto_fault *fault)
{
    static const struct icp_pool_options defaults = {0};
    struct icp_pool_options read;
    const struct icp_allocator *allocator = &pool->options.allocator;
    const struct icp_pool_options *from = pool_options != NULL ? pool_options : &defaults;
    if (!client_struct_read(&read, sizeof read, from, from->size, POOL_OPTIONS_BYTES_FIRST)) {
        return proto_fault_set(fault, PROTO_USAGE, "pool_options",
                               "the options use what this libicp does not know");
    }
    if (read.connections_max > CONNECTIONS_MAX) {
        return proto_fault_set(fault, PROTO_USAGE, "pool_options.connections_max",
                               "%u connections are too many; %d is the most", read.connections_max,
                               CONNECTIONS_MAX);
    }
    pool->connections_max = read.connections_max != 0 ? read.connections_max : CONNECTIONS;
    pool->uri = client_memory_text(allocator, uri);
    bool is_kept = pool->uri != NULL;
    for (unsigned i = 0; i < TEXTS; i++) {
        const char **text = text_of(&pool->options, i);
        if (*text != NULL) {
            *text = pool->texts[i] = client_memory_text(allocator, *text);
            is_kept = is_kept && *text != NULL;
        }
    }
    return is_kept || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the pool");
}

static void free_add(struct icp_pool *pool, struct icp_client *client)
{
    client->next = NULL;
    if (pool->free_first == NULL) {
        pool->free_first = pool->free_last = client;
    } else if (icp_is_connected(client)) {
        client->next = pool->free_first;
        pool->free_first = client;
    } else { /* whoever needs one more may open it again */
        pool->free_last->next = client;
        pool->free_last = client;
    }
}

static struct icp_client *free_take(struct icp_pool *pool)
{
    struct icp_client *client = pool->free_first;
    if (client == NULL) {
        return NULL;
    }
    pool->free_first = client->next;
    if (pool->free_first == NULL) {
        pool->free_last = NULL;
    }
    return client;
}

struct icp_pool *icp_pool_create(const char *uri, const struct icp_options *options,
                                 const struct icp_pool_options *pool_options,
                                 struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct icp_options read;
    struct icp_pool *pool = NULL;
    struct icp_client *first = NULL;
    if (!client_options_read(options, &read, &found)) {
        goto failed;
    }
    pool = client_memory_grow(&read.allocator, NULL, sizeof *pool);
    if (pool == NULL) {
        proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the pool");
        goto failed;
    }
    *pool = (struct icp_pool){.options = read};
    pthread_mutex_init(&pool->lock, NULL);
    pool->options.size = sizeof pool->options;
    if (!pool_prepare(pool, uri, pool_options, &found) ||
        (first = client_create(uri, &pool->options, NULL, &found)) == NULL) {
        goto failed;
    }
    pool->call_timeout_ms = first->core.settings.call_timeout_ms;
    pool->clients = 1;
    free_add(pool, first);
    if (read.connect_later || client_ready_until(first, INT64_MAX, &found)) {
        return pool;
    }
failed:
    icp_pool_destroy(pool);
    client_fault_export(&found, fault);
    return NULL;
}

void icp_pool_destroy(struct icp_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    assert(pool->lent == 0 && pool->waiting == 0);
    struct icp_client *client;
    while ((client = free_take(pool)) != NULL) {
        icp_close(client);
    }
    pthread_mutex_destroy(&pool->lock);
    client_memory_free(pool->uri);
    for (unsigned i = 0; i < TEXTS; i++) {
        client_memory_free(pool->texts[i]);
    }
    client_memory_free(pool);
}

/* Lending. */

static void waiter_leave(struct icp_pool *pool, struct waiter *waiter)
{
    struct waiter *before = NULL;
    struct waiter *at = pool->waiter_first;
    while (at != waiter) {
        before = at;
        at = at->next;
    }
    if (before != NULL) {
        before->next = waiter->next;
    } else {
        pool->waiter_first = waiter->next;
    }
    if (pool->waiter_last == waiter) {
        pool->waiter_last = before;
    }
}

/* Waits, with the lock held, until a client is handed over. NULL: the moment has passed. */
static struct icp_client *wait_for_one(struct icp_pool *pool, int64_t until_ms)
{
    struct waiter waiter = {.client = NULL};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&waiter.came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pool->waiter_last != NULL) {
        pool->waiter_last->next = &waiter;
    } else {
        pool->waiter_first = &waiter;
    }
    pool->waiter_last = &waiter;
    pool->waiting++;
    const struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    while (waiter.client == NULL && pthread_cond_timedwait(&waiter.came, &pool->lock, &until) == 0)
        ;
    if (waiter.client == NULL) { /* else whoever handed it over took us out of the queue */
        waiter_leave(pool, &waiter);
    }
    pool->waiting--;
    pthread_cond_destroy(&waiter.came);
    return waiter.client;
}

static struct icp_client *lend_until(struct icp_pool *pool, int64_t until_ms,
                                     struct proto_fault *fault)
{
    pthread_mutex_lock(&pool->lock);
    struct icp_client *client = free_take(pool);
    bool is_new = client == NULL && pool->clients < pool->connections_max;
    if (is_new) {
        pool->clients++;
    } else if (client == NULL) {
        client = wait_for_one(pool, until_ms);
    }
    if (client != NULL || is_new) {
        pool->lent++;
    }
    struct client_token token = pool->token;
    pthread_mutex_unlock(&pool->lock);
    if (client == NULL && !is_new) {
        proto_fault_set(fault, PROTO_TIMEOUT, "", "all %u clients of the pool were lent",
                        pool->connections_max);
    }
    if (!is_new) {
        if (client != NULL) {
            client_token_raise(&client->core.token, token);
        }
        return client;
    }
    client = client_create(pool->uri, &pool->options, NULL, fault);
    if (client != NULL) {
        client_token_raise(&client->core.token, token);
        return client;
    }
    pthread_mutex_lock(&pool->lock);
    pool->clients--;
    pool->lent--;
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static int64_t pool_until_ms(const struct icp_pool *pool, uint32_t timeout_ms)
{
    return client_now_ms() + (timeout_ms != 0 ? timeout_ms : pool->call_timeout_ms);
}

struct icp_client *icp_pool_lend(struct icp_pool *pool, uint32_t timeout_ms,
                                 struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    struct icp_client *client = lend_until(pool, pool_until_ms(pool, timeout_ms), &found);
    if (client == NULL) {
        client_fault_export(&found, fault);
    }
    return client;
}

void icp_pool_give_back(struct icp_pool *pool, struct icp_client *client)
{
    if (icp_in_flight(client) > 0) {
        client_kept_clear(client);
        client_core_drop(&client->core, "its borrower gave the client back");
        struct client_reply nobody;
        while (client_core_next(&client->core, &nobody))
            ;
    }
    pthread_mutex_lock(&pool->lock);
    client_token_raise(&pool->token, client->core.token);
    struct waiter *waiter = pool->waiter_first;
    pool->lent--;
    if (waiter != NULL) {
        pool->waiter_first = waiter->next;
        if (pool->waiter_first == NULL) {
            pool->waiter_last = NULL;
        }
        waiter->client = client;
        pthread_cond_signal(&waiter->came);
    } else {
        free_add(pool, client);
    }
    pthread_mutex_unlock(&pool->lock);
}

struct icp_pool_state icp_pool_state_read(struct icp_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct icp_pool_state state = {
        .clients = pool->clients, .lent = pool->lent, .waiting = pool->waiting};
    for (const struct icp_client *client = pool->free_first; client != NULL;
         client = client->next) {
        state.connected += icp_is_connected(client);
    }
    pthread_mutex_unlock(&pool->lock);
    return state;
}

/* Calls. */

/* What is left of a deadline; at least 1, which is as good as passed. */
static uint32_t left_ms(int64_t until_ms)
{
    int64_t left = until_ms - client_now_ms();
    return left < 1 ? 1 : (uint32_t)left;
}

bool icp_pool_call(struct icp_pool *pool, enum icp_op op, const struct icp_payload *payload,
                   uint32_t timeout_ms, struct icp_reply *reply)
{
    struct proto_fault found = {.code = PROTO_OK};
    int64_t until_ms = pool_until_ms(pool, timeout_ms);
    struct icp_client *client = lend_until(pool, until_ms, &found);
    if (client == NULL) {
        return client_reply_fail(reply, 0, (uint8_t)op, &found);
    }
    bool succeeded = icp_call_within(client, op, payload, left_ms(until_ms), reply);
    icp_pool_give_back(pool, client);
    return succeeded;
}

bool icp_pool_score(struct icp_pool *pool, const struct icp_query *query, struct icp_score *score,
                    struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    int64_t until_ms = pool_until_ms(pool, query->timeout_ms);
    struct icp_client *client = lend_until(pool, until_ms, &found);
    if (client == NULL) {
        client_fault_export(&found, fault);
        return client_score_default(&pool->options, score, fault);
    }
    bool succeeded = client_score_until(client, query, until_ms, score, fault);
    icp_pool_give_back(pool, client);
    return succeeded;
}
