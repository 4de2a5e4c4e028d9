/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox of a worker: replies posted from any thread, connections that worker 0 accepted for it,
 * and sessions that shook hands. Whoever fills an empty inbox wakes the worker, which takes all of
 * it (post.c). A reply that finds no memory is lost; the worker is told, for the connection that
 * waits for it would wait for ever.
 *
 * No lock: a thread of low priority that were put aside with it would hold up the worker. Mail is
 * pushed in front of what is there and taken all at once (Treiber 1986; without single pops there
 * is no ABA), then turned round. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/net/net_worker.h"

static void mail_put(struct net_worker *worker, struct net_mail *mail)
{
    struct net_mail *newest = atomic_load_explicit(&worker->inbox, memory_order_relaxed);
    do {
        mail->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&worker->inbox, &newest, mail,
                                                    memory_order_acq_rel, memory_order_relaxed));
    /* Whoever fills an empty inbox rings; the worker empties it whole. */
    if (newest == NULL) {
        net_bell_ring(&worker->wake);
    }
}

struct net_mail *net_mail_take_all(struct net_worker *worker)
{
    struct net_mail *newest = atomic_exchange_explicit(&worker->inbox, NULL, memory_order_acq_rel);
    struct net_mail *oldest = NULL;
    while (newest != NULL) {
        struct net_mail *before = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = before;
    }
    return oldest;
}

void net_mail_frames_free(struct proto_span frames)
{
    free((uint8_t *)(uintptr_t)frames.data); /* malloc'd by the poster; a span is const */
}

void net_post(struct net_server *server, struct net_ticket ticket, struct proto_span frames_taken,
              bool final)
{
    assert(ticket.worker < server->workers_count);
    struct net_worker *worker = &server->workers[ticket.worker];
    struct net_mail *mail = malloc(sizeof *mail);
    if (mail == NULL) {
        net_mail_frames_free(frames_taken);
        atomic_store(&worker->mail_lost, true);
        net_bell_ring(&worker->wake);
        return;
    }
    *mail = (struct net_mail){
        .kind = NET_MAIL_POST, .final = final, .fd = -1, .ticket = ticket, .frames = frames_taken};
    atomic_fetch_add_explicit(&server->held, frames_taken.bytes, memory_order_relaxed);
    mail_put(worker, mail);
}

bool net_mail_socket(struct net_worker *worker, int fd, enum net_mail_kind kind)
{
    struct net_mail *mail = malloc(sizeof *mail);
    if (mail == NULL) {
        return false;
    }
    *mail = (struct net_mail){.kind = kind, .fd = fd};
    mail_put(worker, mail);
    return true;
}

void net_mail_shaken(struct net_secure *secure)
{
    secure->mail = (struct net_mail){.kind = NET_MAIL_SHAKEN, .fd = -1, .secure = secure};
    mail_put(secure->worker, &secure->mail);
}

bool net_server_take(struct net_server *server, int fd)
{
    atomic_fetch_add_explicit(&server->open, 1, memory_order_relaxed);
    if (net_mail_socket(&server->workers[0], fd, NET_MAIL_TAKEN)) {
        return true;
    }
    atomic_fetch_sub_explicit(&server->open, 1, memory_order_relaxed);
    close(fd);
    return false;
}
