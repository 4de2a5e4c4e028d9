/* SPDX-License-Identifier: Apache-2.0 */
/* A shared counter gives out the pieces; the caller takes some too and waits for the rest. */
#include "server/learn/crew.h"

#include <pthread.h>
#include <stdatomic.h>

#include "server/base/thread.h"

struct crew {
    void (*run)(void *context, size_t piece, bool own);
    void *context;
    size_t pieces;
    atomic_size_t next;
};

static void pieces_run(struct crew *crew, bool own)
{
    for (size_t piece; (piece = atomic_fetch_add(&crew->next, 1)) < crew->pieces;) {
        crew->run(crew->context, piece, own);
    }
}

static void *crew_main(void *context)
{
    pieces_run(context, false);
    return NULL;
}

void learn_crew_run(unsigned threads, size_t pieces,
                    void (*run)(void *context, size_t piece, bool own), void *context)
{
    struct crew crew = {.run = run, .context = context, .pieces = pieces};
    pthread_t others[LEARN_THREADS_MAX];
    unsigned started = 0;
    atomic_init(&crew.next, 0);
    while (started + 1 < threads && started + 1 < LEARN_THREADS_MAX && started + 1 < pieces &&
           base_thread_start(&others[started], crew_main, &crew) == 0) {
        started++;
    }
    pieces_run(&crew, true);
    for (unsigned i = 0; i < started; i++) {
        (void)pthread_join(others[i], NULL);
    }
}
