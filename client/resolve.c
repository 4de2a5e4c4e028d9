/* SPDX-License-Identifier: Apache-2.0 */
/* A lookup is shared by its starter and its helper thread, and freed by whoever lets go of it last.
 * Happy path: the helper resolves, notes the result, signals, lets go; the starter takes the result
 * and lets go. Where the starter gives up first, the helper finds itself alone and frees all. */
#include "client/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/uri.h"

struct client_lookup {
    atomic_int holders;
    atomic_bool is_done;
    int event_fd;
    client_resolve *resolve;
    char host[CLIENT_HOST_BYTES_MAX + 1];
    char port[8];
    int failure;
    struct addrinfo *found;
};

static void lookup_release(struct client_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) != 1) {
        return;
    }
    if (lookup->found != NULL) {
        freeaddrinfo(lookup->found);
    }
    close(lookup->event_fd);
    free(lookup);
}

static void *lookup_run(void *context)
{
    struct client_lookup *lookup = context;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    lookup->failure = lookup->resolve(lookup->host, lookup->port, &hints, &lookup->found);
    atomic_store(&lookup->is_done, true);
    const uint64_t one = 1;
    /* An eventfd that holds 0 takes a 1 always; a starter that is gone does not read it. */
    (void)!write(lookup->event_fd, &one, sizeof one);
    lookup_release(lookup);
    return NULL;
}

/* The host's signal handlers are none of the helper's business. */
static bool thread_start(struct client_lookup *lookup)
{
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    pthread_attr_t detached;
    if (pthread_attr_init(&detached) != 0) {
        return false;
    }
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &detached, lookup_run, lookup) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
    return started;
}

struct client_lookup *client_lookup_start(client_resolve *resolve, const char *host, unsigned port)
{
    struct client_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL) {
        return NULL;
    }
    lookup->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->event_fd < 0) {
        free(lookup);
        return NULL;
    }
    atomic_init(&lookup->holders, 2);
    lookup->resolve = resolve;
    snprintf(lookup->host, sizeof lookup->host, "%s", host);
    snprintf(lookup->port, sizeof lookup->port, "%u", port);
    if (thread_start(lookup)) {
        return lookup;
    }
    close(lookup->event_fd);
    free(lookup);
    return NULL;
}

int client_lookup_fd(const struct client_lookup *lookup)
{
    return lookup->event_fd;
}

bool client_lookup_is_done(const struct client_lookup *lookup)
{
    return atomic_load(&lookup->is_done);
}

void client_lookup_take(struct client_lookup *lookup, int *failure, struct addrinfo **found)
{
    *failure = lookup->failure;
    *found = lookup->found;
    lookup->found = NULL;
    lookup_release(lookup);
}

void client_lookup_drop(struct client_lookup *lookup)
{
    if (lookup != NULL) {
        lookup_release(lookup);
    }
}

void client_lookup_orphan(struct client_lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    close(lookup->event_fd);
    free(lookup); /* what the helper may have found by the fork is lost with it */
}
