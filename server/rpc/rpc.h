/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to replies: decodes a request by the tables of proto/, checks role and deadline, calls
 * the engine, encodes the reply. Knows no socket: frames come in as spans, replies go out through a
 * writer or, later, through post().
 *
 * A new operation is a row in op.def, its lines in field.def and one handler rpc_on_<name>; a
 * missing handler does not link. Threads: rpc_create and _destroy on one thread; an rpc_worker and
 * the sessions served by it belong to one thread. Cost: see docs/performance.md. */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include "proto/frame.h"
#include "proto/writer.h"
#include "server/auth/address_book.h"
#include "server/auth/auth.h"
#include "server/auth/token_book.h"
#include "server/base/metrics.h"
#include "server/capture/capture.h"
#include "server/dispute/dispute.h"
#include "server/engine/engine.h"
#include "server/lookalike/lookalike.h"

/* Blocks of figures beside those of the workers: of the writer, then of each thread of a lane. */
#define RPC_EXTRA_BLOCKS (1 + ENGINE_LANE_THREADS)

struct lifecycle_columns;
struct rpc;
struct rpc_worker;
struct rpc_person;
struct rpc_debt;

/* Names a connection for a reply that comes later; a value of the layer below, opaque here. */
struct rpc_ticket {
    uint64_t words[2];
};

/* What a connection has become: kept by the caller, one each, all zero at first. */
struct rpc_session {
    enum proto_role role;     /* given by hello; not looked at where no tokens are configured */
    auth_guest guest;         /* where its address is counted; 0: nowhere */
    unsigned wrong_tokens;    /* that it has shown */
    struct auth_grant *grant; /* of the named token that it showed last; NULL: none */
    size_t paid;              /* frames that its rates have paid for and that are not served yet */
    bool owes;                /* told by rpc_session_owes */
    struct rpc_debt *debt;    /* what the lanes see of that (debt.h); NULL: it has asked none yet */
    bool greeted;             /* on_hello has been told of it */
    struct rpc_person *person; /* what others see of it (people.h); NULL: nothing */
};

struct rpc_options {
    struct engine *engine;
    struct lookalike *lookalike; /* on that engine */
    struct dispute *dispute;     /* on that engine */
    /* Events kept as columns; borrowed. NULL: questions read the timelines. */
    struct lifecycle_columns *columns;
    struct base_metrics *metrics; /* workers + RPC_EXTRA_BLOCKS blocks */
    unsigned workers;
    struct auth_tokens tokens;        /* with none at all, and no book, every connection is admin */
    struct auth_book *book;           /* of named tokens; borrowed. NULL: there are none */
    struct auth_addresses *addresses; /* what addresses did; borrowed. NULL: nobody counts */
    uint64_t (*now_ns)(void *context); /* monotonic */
    void *now_context;
    /* Sends whole reply frames later, from any thread; takes the memory (malloc'd). final ends a
     * request; no frames that are not final release a connection that was to be held. */
    void (*post)(void *context, struct rpc_ticket ticket, struct proto_span frames_taken,
                 bool final);
    void *post_context;
    /* Writes one map of every metric: name, number or map of numbers. */
    void (*stats_write)(void *context, struct proto_writer *out);
    void *stats_context;
    /* Told of every request that is answered one by one, from any thread; op is NULL if the opcode
     * names none. Returns whether that took too long. NULL: nobody. */
    bool (*on_answered)(void *context, const struct proto_op_info *op, uint64_t took_ns);
    void *answered_context;
    /* Told once a connection of the name that its client gave itself, cut to RPC_CLIENT_BYTES_MAX,
     * and of the name of its token ("" if it has none), from a worker's thread. NULL: nobody. */
    void (*on_hello)(void *context, const char *client, const char *token, enum proto_role role);
    void *hello_context;
    /* Records requests where it is switched on; borrowed. NULL: it never is. */
    struct capture *capture;
    uint64_t applied_ms; /* how long a request without a deadline waits for its sequence */
    uint64_t scan_ms; /* within which a scan must have ended, from when it was read; 0: no limit */
    bool (*crowded)(void *context); /* no reply should be begun: those unread fill the memory */
    void *crowded_context;
    /* Exports that wait to be read; borrowed. NULL: there are none. */
    struct transfer *transfer;
    /* Directory below which backups are written; NULL or empty: they are refused. Borrowed. */
    const char *backup_path;
};
#define RPC_CLIENT_BYTES_MAX 128

struct rpc *rpc_create(const struct rpc_options *options, struct proto_fault *fault);
void rpc_destroy(struct rpc *rpc);
struct rpc_worker *rpc_worker_create(struct rpc *rpc, unsigned index, struct proto_fault *fault);
void rpc_worker_destroy(struct rpc_worker *worker);
/* Where the worker counts: its block of the metrics. */
struct base_metrics_block *rpc_worker_figures(const struct rpc_worker *worker);
/* The loop is about to wait: let go of snapshots. */
void rpc_worker_rest(struct rpc_worker *worker);

/* Lists the connection of a session for those who watch, with its address as text, until it is
 * closed; best effort. Any thread. */
void rpc_session_open(struct rpc *rpc, struct rpc_session *session, const char *address);
/* The connection leaves so many replies unread that no more should be made for it, or takes them
 * again. */
void rpc_session_owes(struct rpc_session *session, bool owes);
/* So many bytes of replies that came later have come to the connection, which holds so many unsent
 * with them; and how many it holds whenever that is known. */
void rpc_session_delivered(struct rpc_session *session, size_t bytes, size_t unsent);
void rpc_session_unsent(struct rpc_session *session, size_t unsent);
/* False with *fault if the named token that the connection showed holds no longer: taken away, or
 * over. To be asked now and then; whoever is told so closes the connection. */
bool rpc_session_stands(const struct rpc *rpc, const struct rpc_session *session,
                        struct proto_fault *fault);
/* No more requests will come over the connection, which may be gone: those that wait for a sequence
 * wait no longer. */
void rpc_session_finish(struct rpc *rpc, struct rpc_session *session);
/* Also ends what only this connection waits for. */
void rpc_session_close(struct rpc *rpc, struct rpc_session *session);

/* Bytes that a client sent and that rpc_serve will soon be given: begins to load what a score by id
 * in front of them needs. Steps as engine_raw_peek. */
void rpc_peek(const struct rpc_worker *worker, struct proto_span bytes, unsigned step);

/* Frames of one connection that were read together. */
struct rpc_batch {
    struct rpc_session *session;
    struct rpc_ticket ticket;
    const struct proto_frame *frames;
    size_t count;
    uint64_t read_ns;         /* when they were read */
    size_t out_room;          /* stop once the replies are larger than this; SIZE_MAX: never */
    struct proto_writer *out; /* replies that are ready are appended */
    /* Gives away the memory in which the only frame lies: malloc'd, the caller's; NULL: it lies in
     * memory that is used again. NULL in its place: it always does. */
    void *(*take)(void *context);
    void *take_context;
    bool taken;  /* set: the frame may be gone */
    size_t done; /* set: frames that were served; the others are to be handed over again */
    bool hold;   /* set: but only when the connection has been released (rpc_options.post) */
};

/* Serves frames in order, at least one, until all are done, the replies fill out_room, or
 * RPC_TURN_NS have passed: other connections wait. Returns how many of those done are answered
 * later through post. */
#define RPC_TURN_NS 2000000
size_t rpc_serve(struct rpc_worker *worker, struct rpc_batch *batch);

#endif
