/* SPDX-License-Identifier: Apache-2.0 */
/* A table of places. Beginning takes a free one, one whose time is over, or the one that was used
 * least lately; finding renews its time; ending wipes it. */
#include "server/console/console_session.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SECOND_NS UINT64_C(1000000000)

struct session {
    bool taken;
    char id[CONSOLE_ID_BYTES];
    char token[CONSOLE_TOKEN_BYTES];
    uint64_t began_ns, used_ns;
};

struct console_sessions {
    pthread_mutex_t lock;
    struct session places[CONSOLE_SESSIONS_MAX];
};

struct console_sessions *console_sessions_create(void)
{
    struct console_sessions *all = calloc(1, sizeof *all);
    if (all != NULL) {
        pthread_mutex_init(&all->lock, NULL);
    }
    return all;
}

void console_sessions_destroy(struct console_sessions *all)
{
    if (all != NULL) {
        pthread_mutex_destroy(&all->lock);
        explicit_bzero(all, sizeof *all);
        free(all);
    }
}

static bool draw_id(char id[CONSOLE_ID_BYTES])
{
    uint8_t bytes[(CONSOLE_ID_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    }
    explicit_bzero(bytes, sizeof bytes);
    return true;
}

static bool is_over(const struct session *session, uint64_t now_ns)
{
    return now_ns - session->used_ns > CONSOLE_IDLE_S * SECOND_NS ||
           now_ns - session->began_ns > CONSOLE_LIFE_S * SECOND_NS;
}

/* Whether the texts are the same, in a time that tells nothing of where they differ. */
static bool is_same(const char *id, struct proto_span given)
{
    unsigned differs = given.bytes != CONSOLE_ID_BYTES - 1;
    for (size_t i = 0; i < CONSOLE_ID_BYTES - 1 && i < given.bytes; i++) {
        differs |= (unsigned)(uint8_t)id[i] ^ given.data[i];
    }
    return differs == 0;
}

/* Under the lock; ends what is over on its way. */
static struct session *find(struct console_sessions *all, struct proto_span id, uint64_t now_ns)
{
    struct session *found = NULL;
    for (size_t i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        struct session *session = &all->places[i];
        if (session->taken && is_over(session, now_ns)) {
            explicit_bzero(session, sizeof *session);
        }
        if (is_same(session->id, id) && session->taken) {
            found = session;
        }
    }
    return found;
}

static struct session *place_for(struct console_sessions *all, uint64_t now_ns)
{
    struct session *best = &all->places[0];
    for (size_t i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        struct session *session = &all->places[i];
        if (!session->taken || is_over(session, now_ns)) {
            return session;
        }
        best = session->used_ns < best->used_ns ? session : best;
    }
    return best;
}

bool console_session_begin(struct console_sessions *all, const char *token, uint64_t now_ns,
                           char id[CONSOLE_ID_BYTES])
{
    size_t bytes = strlen(token);
    if (bytes >= CONSOLE_TOKEN_BYTES || !draw_id(id)) {
        return false;
    }
    pthread_mutex_lock(&all->lock);
    struct session *session = place_for(all, now_ns);
    explicit_bzero(session, sizeof *session);
    session->taken = true;
    session->began_ns = session->used_ns = now_ns;
    memcpy(session->id, id, CONSOLE_ID_BYTES);
    memcpy(session->token, token, bytes + 1);
    pthread_mutex_unlock(&all->lock);
    return true;
}

bool console_session_find(struct console_sessions *all, struct proto_span id, uint64_t now_ns,
                          char token[CONSOLE_TOKEN_BYTES])
{
    pthread_mutex_lock(&all->lock);
    struct session *session = find(all, id, now_ns);
    if (session != NULL) {
        session->used_ns = now_ns;
        memcpy(token, session->token, CONSOLE_TOKEN_BYTES);
    }
    pthread_mutex_unlock(&all->lock);
    return session != NULL;
}

void console_session_end(struct console_sessions *all, struct proto_span id, uint64_t now_ns)
{
    pthread_mutex_lock(&all->lock);
    struct session *session = find(all, id, now_ns);
    if (session != NULL) {
        explicit_bzero(session, sizeof *session);
    }
    pthread_mutex_unlock(&all->lock);
}
