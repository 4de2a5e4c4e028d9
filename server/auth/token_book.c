/* SPDX-License-Identifier: Apache-2.0 */
/* A list of grants behind a lock, replaced as a whole when the file is read anew: what can fail is
 * done before, so that a file that cannot be used changes nothing. A token that is not known costs
 * as much as one that is: it is compared with a grant that nobody has. */
#include "server/auth/token_book.h"

#include <pthread.h>
#include <stdlib.h>

struct auth_grant {
    _Atomic unsigned references;
    struct auth_token token; /* name, role, salt and hash; the rest is below, where it changes */
    _Atomic bool ended;
    _Atomic int64_t expires_s;
    _Atomic uint32_t connections_max;
    _Atomic uint32_t connections;
    struct limit {
        _Atomic uint64_t per_s, burst;
        struct auth_bucket bucket;
    } requests, bytes;
};

struct auth_book {
    char *path;
    pthread_mutex_t lock; /* of the list */
    struct auth_grant **grants;
    size_t count;
    struct auth_token nobody;
};

static void grant_release(struct auth_grant *grant)
{
    if (atomic_fetch_sub(&grant->references, 1) == 1) {
        free(grant);
    }
}

static void limit_set(struct limit *limit, const struct auth_rate *rate)
{
    atomic_store(&limit->burst, rate->burst);
    atomic_store(&limit->per_s, rate->per_s);
}

static void limits_set(struct auth_grant *grant, const struct auth_token *token)
{
    atomic_store(&grant->expires_s, token->expires_s);
    atomic_store(&grant->connections_max, token->connections);
    limit_set(&grant->requests, &token->requests);
    limit_set(&grant->bytes, &token->bytes);
}

static struct auth_grant *grant_create(const struct auth_token *token)
{
    struct auth_grant *grant = calloc(1, sizeof *grant);
    if (grant != NULL) {
        atomic_init(&grant->references, 1);
        grant->token = *token;
        limits_set(grant, token);
    }
    return grant;
}

static bool is_same(const struct auth_token *a, const struct auth_token *b)
{
    return strcmp(a->name, b->name) == 0 && a->role == b->role &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0 &&
           memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

/* The grant of the book that a token goes on with; NULL if there is none. */
static struct auth_grant *grant_of(const struct auth_book *book, const struct auth_token *token)
{
    for (size_t i = 0; i < book->count; i++) {
        if (is_same(&book->grants[i]->token, token)) {
            return book->grants[i];
        }
    }
    return NULL;
}

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "tokens_file", "no memory for the tokens");
}

/* The grants of a list: those of the book where it has them, and new ones. */
static struct auth_grant **grants_make(const struct auth_book *book, const struct auth_list *list,
                                       struct proto_fault *fault)
{
    struct auth_grant **grants = calloc(list->count + 1, sizeof *grants);
    bool good = grants != NULL;
    for (size_t i = 0; i < list->count && good; i++) {
        struct auth_grant *kept = grant_of(book, &list->tokens[i]);
        grants[i] = kept != NULL ? kept : grant_create(&list->tokens[i]);
        good = grants[i] != NULL;
    }
    if (good) {
        return grants;
    }
    for (size_t i = 0; grants != NULL && i < list->count; i++) {
        if (grant_of(book, &list->tokens[i]) == NULL) {
            free(grants[i]); /* nobody else has it yet */
        }
    }
    free(grants);
    no_memory(fault);
    return NULL;
}

/* With the lock held: the grants become the book's. */
static void grants_take(struct auth_book *book, struct auth_grant **grants,
                        const struct auth_list *list, struct auth_change *change)
{
    change->added = list->count;
    for (size_t i = 0; i < list->count; i++) {
        limits_set(grants[i], &list->tokens[i]);
    }
    for (size_t i = 0; i < book->count; i++) {
        struct auth_grant *grant = book->grants[i];
        const struct auth_token *now = auth_list_find(list, proto_span_text(grant->token.name));
        if (now != NULL && is_same(now, &grant->token)) {
            change->kept++;
            change->added--;
        } else {
            change->ended++;
            atomic_store(&grant->ended, true);
            if (change->on_end != NULL) {
                change->on_end(change->context, grant->token.name);
            }
            grant_release(grant);
        }
    }
    free(book->grants);
    book->grants = grants;
    book->count = list->count;
}

bool auth_book_reload(struct auth_book *book, struct auth_change *change, struct proto_fault *fault)
{
    struct auth_list list;
    change->kept = change->added = change->ended = 0;
    if (!auth_list_read(book->path, &list, fault)) {
        return false;
    }
    pthread_mutex_lock(&book->lock);
    struct auth_grant **grants = grants_make(book, &list, fault);
    if (grants != NULL) {
        grants_take(book, grants, &list, change);
    }
    pthread_mutex_unlock(&book->lock);
    auth_list_fini(&list);
    return grants != NULL;
}

struct auth_book *auth_book_create(const char *path, struct proto_fault *fault)
{
    struct auth_book *book = calloc(1, sizeof *book);
    struct auth_change change = {0};
    if (book == NULL || (book->path = strdup(path)) == NULL) {
        free(book);
        no_memory(fault);
        return NULL;
    }
    pthread_mutex_init(&book->lock, NULL);
    if (!auth_book_reload(book, &change, fault)) {
        auth_book_destroy(book);
        return NULL;
    }
    return book;
}

void auth_book_destroy(struct auth_book *book)
{
    if (book == NULL) {
        return;
    }
    for (size_t i = 0; i < book->count; i++) {
        grant_release(book->grants[i]);
    }
    pthread_mutex_destroy(&book->lock);
    free(book->grants);
    free(book->path);
    free(book);
}

size_t auth_book_count(struct auth_book *book)
{
    pthread_mutex_lock(&book->lock);
    size_t count = book->count;
    pthread_mutex_unlock(&book->lock);
    return count;
}

/* A reference to the grant whose name stands before the dot; NULL if there is none. */
static struct auth_grant *find(struct auth_book *book, struct proto_span text)
{
    const uint8_t *dot = text.bytes > 0 ? memchr(text.data, '.', text.bytes) : NULL;
    struct proto_span name = {text.data, dot != NULL ? (size_t)(dot - text.data) : 0};
    struct auth_grant *found = NULL;
    pthread_mutex_lock(&book->lock);
    for (size_t i = 0; i < book->count && found == NULL; i++) {
        if (proto_span_is(name, book->grants[i]->token.name)) {
            found = book->grants[i];
            atomic_fetch_add(&found->references, 1);
        }
    }
    pthread_mutex_unlock(&book->lock);
    return found;
}

static bool is_over(const struct auth_grant *grant, int64_t now_ms)
{
    int64_t expires_s = atomic_load_explicit(&grant->expires_s, memory_order_relaxed);
    return expires_s != 0 && now_ms / 1000 >= expires_s;
}

/* As auth_book_enter, but counts no connection. */
static struct auth_grant *look(struct auth_book *book, struct proto_span text, int64_t now_ms,
                               struct proto_fault *fault)
{
    struct auth_grant *grant = find(book, text);
    int fits = auth_token_matches(grant != NULL ? &grant->token : &book->nobody, text, fault);
    if (fits == 1 && grant != NULL && !is_over(grant, now_ms)) {
        return grant;
    }
    if (fits == 1 && grant != NULL) {
        proto_fault_set(fault, PROTO_BAD_TOKEN, "token", "the token %s has expired",
                        grant->token.name);
    } else if (fits >= 0) {
        proto_fault_set(fault, PROTO_BAD_TOKEN, "token", "the token is not known");
    }
    if (grant != NULL) {
        grant_release(grant);
    }
    return NULL;
}

struct auth_grant *auth_book_enter(struct auth_book *book, struct proto_span text, int64_t now_ms,
                                   struct proto_fault *fault)
{
    struct auth_grant *grant = look(book, text, now_ms, fault);
    if (grant == NULL) {
        return NULL;
    }
    uint32_t most = atomic_load(&grant->connections_max);
    if (atomic_fetch_add(&grant->connections, 1) >= most && most > 0) {
        proto_fault_set(fault, PROTO_BUSY, "token",
                        "the token %s has %u connections open, the most it may", grant->token.name,
                        most);
        auth_grant_leave(grant);
        return NULL;
    }
    return grant;
}

enum proto_role auth_book_role(struct auth_book *book, struct proto_span text, int64_t now_ms)
{
    struct proto_fault fault;
    struct auth_grant *grant = look(book, text, now_ms, &fault);
    enum proto_role role = grant != NULL ? grant->token.role : PROTO_ROLE_NONE;
    if (grant != NULL) {
        grant_release(grant);
    }
    return role;
}

void auth_grant_leave(struct auth_grant *grant)
{
    if (grant != NULL) {
        atomic_fetch_sub(&grant->connections, 1);
        grant_release(grant);
    }
}

const char *auth_grant_name(const struct auth_grant *grant)
{
    return grant->token.name;
}

enum proto_role auth_grant_role(const struct auth_grant *grant)
{
    return grant->token.role;
}

bool auth_grant_stands(const struct auth_grant *grant, int64_t now_ms, struct proto_fault *fault)
{
    bool ended = atomic_load_explicit(&grant->ended, memory_order_relaxed);
    if (!ended && !is_over(grant, now_ms)) {
        return true;
    }
    return proto_fault_set(fault, PROTO_DENIED, "token", "the token %s %s", grant->token.name,
                           ended ? "was taken away" : "has expired");
}

static struct auth_rate rate_of(const struct limit *limit)
{
    return (struct auth_rate){atomic_load_explicit(&limit->per_s, memory_order_relaxed),
                              atomic_load_explicit(&limit->burst, memory_order_relaxed)};
}

bool auth_grant_admit(struct auth_grant *grant, uint64_t bytes, uint64_t now_ns, uint64_t *wait_ns)
{
    struct auth_rate requests = rate_of(&grant->requests);
    struct auth_rate traffic = rate_of(&grant->bytes);
    if (!auth_bucket_take(&grant->requests.bucket, &requests, 1, now_ns, wait_ns)) {
        return false;
    }
    if (!auth_bucket_take(&grant->bytes.bucket, &traffic, bytes, now_ns, wait_ns)) {
        auth_bucket_return(&grant->requests.bucket, &requests, 1);
        return false;
    }
    return true;
}
