/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery of a worker's inbox (mailbox.c): it appends every reply to its connection first and then
 * settles each connection once, so that replies which come together leave together. What nobody
 * will deliver any more is dropped here. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/net/net_worker.h"

/* Appends a reply to its connection; returns the connection if it is still there. */
static struct net_conn *deliver_post(struct net_worker *worker, const struct net_mail *mail)
{
    struct net_conn *conn = net_slot_find(worker, mail->ticket);
    net_worker_hold(worker, 0, mail->frames.bytes);
    NET_TALLY(worker, posts, 1);
    if (conn == NULL) {
        NET_TALLY(worker, posts_dropped, 1);
        net_mail_frames_free(mail->frames);
        return NULL;
    }
    if (!mail->final && mail->frames.bytes == 0) {
        conn->held = false;
    }
    if (mail->final) {
        assert(conn->pending > 0); /* one final post for each request said to be pending */
        conn->pending--;
        NET_TALLY(worker, requests_pending, 0 - (uint64_t)1);
    }
    const struct net_handler *handler = &worker->server->handler;
    if (handler->on_delivered != NULL && mail->frames.bytes > 0) {
        handler->on_delivered(handler->context, worker->context, conn, mail->frames.bytes);
    }
    return net_conn_queue(conn, mail->frames) ? conn : NULL;
}

/* A reply, or a release, was lost for want of memory. Which one is not known, so no connection that
 * waits for one can be trusted to get it: they are closed, which their clients notice. */
static void close_waiting(struct net_worker *worker)
{
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        struct net_conn *conn = worker->slots[i].conn;
        if (conn != NULL && (conn->pending > 0 || conn->held)) {
            net_conn_close(conn, &worker->tally.closed_error);
        }
    }
}

void net_mail_deliver(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    struct net_conn *touched = NULL;
    struct net_mail *mail = net_mail_take_all(worker);
    while (mail != NULL) {
        struct net_mail *next = mail->next;
        if (mail->kind == NET_MAIL_SHAKEN) {
            net_secure_shaken(mail->secure); /* frees the mail too, or keeps it */
            mail = next;
            continue;
        }
        if (mail->kind != NET_MAIL_POST) {
            NET_TALLY(worker, connections_accepted, mail->kind == NET_MAIL_TAKEN);
            net_accept_adopt(worker, mail->fd, NET_UNIX, 0);
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
        if (handler->on_delivered != NULL && conn->phase != NET_CLOSED) {
            handler->on_delivered(handler->context, worker->context, conn, 0);
        }
    }
    if (atomic_exchange(&worker->mail_lost, false)) {
        close_waiting(worker);
    }
}

void net_mail_drop_all(struct net_worker *worker)
{
    struct net_mail *mail = net_mail_take_all(worker);
    while (mail != NULL) {
        struct net_mail *next = mail->next;
        if (mail->kind == NET_MAIL_SHAKEN) {
            net_secure_shaken(mail->secure); /* of a connection that has gone, and goes with it */
            mail = next;
            continue;
        }
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
