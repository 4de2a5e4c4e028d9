/* SPDX-License-Identifier: Apache-2.0 */
/* A thread takes the visit that waits longest and serves it. At the end nothing more is taken, and
 * each that waits is still served, for its connection can end only then. */
#include "server/http/http_aside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/thread.h"
#include "server/http/http.h"

struct http_aside {
    void (*serve)(struct http_visit *visit);
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct http_visit *waiting[HTTP_ASIDE_WAITING]; /* a ring, under the lock */
    unsigned first, count;
    bool ends;
    pthread_t threads[HTTP_ASIDE_THREADS];
    unsigned started;
};

/* NULL: it ends. */
static struct http_visit *next(struct http_aside *aside)
{
    struct http_visit *visit = NULL;
    pthread_mutex_lock(&aside->lock);
    while (aside->count == 0 && !aside->ends) {
        pthread_cond_wait(&aside->more, &aside->lock);
    }
    if (aside->count > 0) {
        visit = aside->waiting[aside->first];
        aside->first = (aside->first + 1) % HTTP_ASIDE_WAITING;
        aside->count--;
    }
    pthread_mutex_unlock(&aside->lock);
    return visit;
}

static void *run(void *argument)
{
    struct http_aside *aside = argument;
    struct http_visit *visit;
    while ((visit = next(aside)) != NULL) {
        aside->serve(visit);
    }
    return NULL;
}

static int threads_start(struct http_aside *aside)
{
    int code = 0;
    while (code == 0 && aside->started < HTTP_ASIDE_THREADS) {
        code = base_thread_start(&aside->threads[aside->started], run, aside);
        if (code == 0) {
            pthread_setname_np(aside->threads[aside->started++], "http-page");
        }
    }
    return code;
}

struct http_aside *http_aside_create(void (*serve)(struct http_visit *visit),
                                     struct proto_fault *fault)
{
    struct http_aside *aside = calloc(1, sizeof *aside);
    if (aside == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the threads of HTTP");
        return NULL;
    }
    aside->serve = serve;
    pthread_mutex_init(&aside->lock, NULL);
    pthread_cond_init(&aside->more, NULL);
    int code = threads_start(aside);
    if (code != 0) {
        proto_fault_set(fault, PROTO_IO, "", "cannot start a thread for HTTP: %s", strerror(code));
        http_aside_stop(aside);
        http_aside_destroy(aside);
        return NULL;
    }
    return aside;
}

bool http_aside_give(struct http_aside *aside, struct http_visit *visit)
{
    pthread_mutex_lock(&aside->lock);
    bool taken = !aside->ends && aside->count < HTTP_ASIDE_WAITING;
    if (taken) {
        aside->waiting[(aside->first + aside->count++) % HTTP_ASIDE_WAITING] = visit;
        pthread_cond_signal(&aside->more);
    }
    pthread_mutex_unlock(&aside->lock);
    return taken;
}

void http_aside_stop(struct http_aside *aside)
{
    if (aside == NULL) {
        return;
    }
    pthread_mutex_lock(&aside->lock);
    aside->ends = true;
    pthread_cond_broadcast(&aside->more);
    pthread_mutex_unlock(&aside->lock);
    while (aside->started > 0) {
        pthread_join(aside->threads[--aside->started], NULL);
    }
}

void http_aside_destroy(struct http_aside *aside)
{
    if (aside != NULL) {
        pthread_cond_destroy(&aside->more);
        pthread_mutex_destroy(&aside->lock);
        free(aside);
    }
}
