/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox of a worker: replies posted from any thread, and connections that worker 0 accepted for
 * it. Whoever fills an empty inbox wakes the worker, which takes all of it (post.c). A reply that
 * finds no memory is lost; the worker is told, for the connection that waits for it would wait for
 * ever. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/net/net_worker.h"

static void mail_put(struct net_worker *worker, struct net_mail *mail)
{
    pthread_mutex_lock(&worker->inbox_lock);
    bool was_empty = worker->inbox_first == NULL;
    *worker->inbox_last = mail;
    worker->inbox_last = &mail->next;
    pthread_mutex_unlock(&worker->inbox_lock);
    /* Whoever fills an empty inbox rings; the worker empties it whole. */
    if (was_empty) {
        uv_async_send(&worker->wake);
    }
}

struct net_mail *net_mail_take_all(struct net_worker *worker)
{
    pthread_mutex_lock(&worker->inbox_lock);
    struct net_mail *first = worker->inbox_first;
    worker->inbox_first = NULL;
    worker->inbox_last = &worker->inbox_first;
    pthread_mutex_unlock(&worker->inbox_lock);
    return first;
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
        uv_async_send(&worker->wake);
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

void net_mail_drop_all(struct net_worker *worker)
{
    struct net_mail *mail = net_mail_take_all(worker);
    while (mail != NULL) {
        struct net_mail *next = mail->next;
        if (mail->kind != NET_MAIL_POST) {
            close(mail->fd);
            atomic_fetch_sub_explicit(&worker->server->open, 1, memory_order_relaxed);
        } else {
            net_mail_frames_free(mail->frames);
        }
        free(mail);
        mail = next;
    }
}
