/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that shake hands, for all workers, behind one queue. Each takes the session that waits
 * longest, works on it, and sends it back by the mailbox of its worker, in mail that is part of it,
 * so that there is always room. They are of low priority, and nobody waits for them: neither the
 * mailbox nor the bell takes a lock (bell.h says what that was good for). */
#include <assert.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/base/thread.h"
#include "server/net/net_worker.h"

/* Signatures of strangers go behind the requests of those who are known. */
#define SHAKE_NICE 10

static struct net_secure *take(struct net_shakers *shakers)
{
    pthread_mutex_lock(&shakers->lock);
    while (shakers->first == NULL && !shakers->ends) {
        pthread_cond_wait(&shakers->some, &shakers->lock);
    }
    struct net_secure *secure = shakers->first;
    if (secure != NULL) {
        shakers->first = secure->next;
        if (shakers->first == NULL) {
            shakers->last = &shakers->first;
        }
    }
    pthread_mutex_unlock(&shakers->lock);
    return secure;
}

static void *run(void *argument)
{
    struct net_shakers *shakers = argument;
    struct net_secure *secure;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), SHAKE_NICE);
    while ((secure = take(shakers)) != NULL) {
        secure->shaken = tls_session_shake(secure->session, &secure->fault);
        net_mail_shaken(secure);
    }
    return NULL;
}

void net_shakers_init(struct net_shakers *shakers)
{
    pthread_mutex_init(&shakers->lock, NULL);
    pthread_cond_init(&shakers->some, NULL);
    shakers->last = &shakers->first;
}

int net_shakers_start(struct net_shakers *shakers, unsigned threads)
{
    assert(shakers->count == 0);
    while (shakers->count < threads && shakers->count < NET_SHAKERS_MAX) {
        int rc = base_thread_start(&shakers->threads[shakers->count], run, shakers);
        if (rc != 0) {
            return rc;
        }
        char name[16];
        snprintf(name, sizeof name, "shake-%u", shakers->count);
        pthread_setname_np(shakers->threads[shakers->count++], name);
    }
    return 0;
}

void net_shakers_put(struct net_shakers *shakers, struct net_secure *secure)
{
    secure->next = NULL;
    pthread_mutex_lock(&shakers->lock);
    *shakers->last = secure;
    shakers->last = &secure->next;
    pthread_cond_signal(&shakers->some);
    pthread_mutex_unlock(&shakers->lock);
}

void net_shakers_fini(struct net_shakers *shakers)
{
    pthread_mutex_lock(&shakers->lock);
    shakers->ends = true;
    pthread_cond_broadcast(&shakers->some);
    pthread_mutex_unlock(&shakers->lock);
    for (unsigned i = 0; i < shakers->count; i++) {
        pthread_join(shakers->threads[i], NULL);
    }
    assert(shakers->first == NULL); /* what was put is worked off before the end */
    pthread_cond_destroy(&shakers->some);
    pthread_mutex_destroy(&shakers->lock);
}
