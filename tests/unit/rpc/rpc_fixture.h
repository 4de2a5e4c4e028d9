/* SPDX-License-Identifier: Apache-2.0 */
/* An engine on a temporary store behind rpc_serve, without sockets, and requests as a client would
 * send them. Shared by the unit tests, the fuzzer of the handlers and the instruction-count gate.
 * Every reply that comes through rpc_fixture_call is held against its description in the tables,
 * whatever the test that asked looks at: a handler that writes another count than entries, a name
 * that no table knows, or a value of another type ends the program. */
#ifndef RPC_FIXTURE_H
#define RPC_FIXTURE_H

#include "proto/request.h"
#include "server/engine/engine_create.h"
#include "server/rpc/rpc.h"

struct rpc_fixture {
    char directory[64];
    char backups[64]; /* where backups go; empty at first: nowhere. May be set at any time */
    struct engine *engine;
    struct lookalike *lookalike;
    struct dispute *dispute;
    struct base_metrics *metrics;
    struct rpc *rpc;
    struct rpc_worker *worker;
    struct rpc_session session;
    struct proto_writer out;
    /* replies that came later, one after another; guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct proto_writer late;
    size_t late_final; /* how many of them were final */
};

/* Aborts if anything fails: a fixture that does not stand tests nothing. tokens: configure read and
 * admin tokens. */
void rpc_fixture_open(struct rpc_fixture *fixture, bool tokens);
void rpc_fixture_close(struct rpc_fixture *fixture);
/* Puts the schema of the fixture and `count` accounts a0 …, whose outcome `won` follows their
 * fields. */
void rpc_fixture_fill(struct rpc_fixture *fixture, size_t count);
/* Learns "won = 1" and makes it active. */
void rpc_fixture_learn(struct rpc_fixture *fixture);
/* Sends one request and waits for its final reply, also if it comes later. Returns the status;
 * *payload is the reply's, valid until the next call. */
uint8_t rpc_fixture_call(struct rpc_fixture *fixture, uint8_t op, struct proto_span request,
                         struct proto_span *payload);
/* The same and decodes the reply by the operation's table; aborts on an error status. */
void rpc_fixture_ask(struct rpc_fixture *fixture, uint8_t op, struct proto_span request,
                     struct proto_arg *args);

/* Whether a reply is what field.def and shape.def say, at every depth: one map and nothing behind
 * it; known names, each once, of the type of its row and within its bounds; those that are required
 * there, but in a frame of progress, which has some of them. */
bool rpc_fixture_look(const struct proto_op_info *op, struct proto_span payload, bool progress,
                      struct proto_fault *fault);

#endif
