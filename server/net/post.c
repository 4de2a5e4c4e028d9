/* SPDX-License-Identifier: Apache-2.0 */
/* The inbox of a worker: replies posted from any thread, and connections that worker 0 accepted for
 * it. Delivery appends every reply to its connection first and then settles each connection once,
 * so that replies which come together leave together. */
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
    if (was_empty)
        uv_async_send(&worker->wake);
}

static struct net_mail *mail_take_all(struct net_worker *worker)
{
    pthread_mutex_lock(&worker->inbox_lock);
    struct net_mail *first = worker->inbox_first;
    worker->inbox_first = NULL;
    worker->inbox_last = &worker->inbox_first;
    pthread_mutex_unlock(&worker->inbox_lock);
    return first;
}

static void frames_free(struct proto_span frames)
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
        frames_free(frames_taken);
        atomic_store(&worker->mail_lost, true);
        uv_async_send(&worker->wake);
        return;
    }
    *mail = (struct net_mail){
        .kind = NET_MAIL_POST, .final = final, .fd = -1, .ticket = ticket, .frames = frames_taken};
    atomic_fetch_add_explicit(&server->held, frames_taken.bytes, memory_order_relaxed);
    mail_put(worker, mail);
}

bool net_mail_socket(struct net_worker *worker, int fd)
{
    struct net_mail *mail = malloc(sizeof *mail);
    if (mail == NULL)
        return false;
    *mail = (struct net_mail){.kind = NET_MAIL_SOCKET, .fd = fd};
    mail_put(worker, mail);
    return true;
}

/* Appends a reply to its connection; returns the connection if it is still there. */
static struct net_conn *deliver_post(struct net_worker *worker, const struct net_mail *mail)
{
    struct net_conn *conn = net_slot_find(worker, mail->ticket);
    net_worker_hold(worker, 0, mail->frames.bytes);
    NET_TALLY(worker, posts, 1);
    if (conn == NULL) {
        NET_TALLY(worker, posts_dropped, 1);
        frames_free(mail->frames);
        return NULL;
    }
    if (mail->final) {
        assert(conn->pending > 0); /* one final post for each request said to be pending */
        conn->pending--;
        NET_TALLY(worker, requests_pending, 0 - (uint64_t)1);
    }
    return net_conn_queue(conn, mail->frames) ? conn : NULL;
}

/* A reply was lost for want of memory. Which one is not known, so no connection that waits for a
 * reply can be trusted to get it: they are closed, which their clients notice. */
static void close_waiting(struct net_worker *worker)
{
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        struct net_conn *conn = worker->slots[i].conn;
        if (conn != NULL && conn->pending > 0)
            net_conn_close(conn, &worker->tally.closed_error);
    }
}

void net_mail_deliver(struct net_worker *worker)
{
    struct net_conn *touched = NULL;
    struct net_mail *mail = mail_take_all(worker);
    while (mail != NULL) {
        struct net_mail *next = mail->next;
        if (mail->kind == NET_MAIL_SOCKET) {
            net_accept_adopt(worker, mail->fd, true);
        } else {
            struct net_conn *conn = deliver_post(worker, mail);
            if (conn != NULL && !conn->touched) {
                conn->touched = true;
                conn->next_touched = touched;
                touched = conn;
            }
        }
        free(mail);
        mail = next;
    }
    while (touched != NULL) {
        struct net_conn *conn = touched;
        touched = conn->next_touched; /* a connection closed here is freed after this turn */
        conn->touched = false;
        net_conn_settle(conn);
    }
    if (atomic_exchange(&worker->mail_lost, false))
        close_waiting(worker);
}

void net_mail_drop_all(struct net_worker *worker)
{
    struct net_mail *mail = mail_take_all(worker);
    while (mail != NULL) {
        struct net_mail *next = mail->next;
        if (mail->kind == NET_MAIL_SOCKET) {
            close(mail->fd);
            atomic_fetch_sub_explicit(&worker->server->open, 1, memory_order_relaxed);
        } else {
            frames_free(mail->frames);
        }
        free(mail);
        mail = next;
    }
}
