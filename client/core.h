/* SPDX-License-Identifier: Apache-2.0 */
/* The client's policy, for a blocking caller and an event loop alike: which connection to have,
 * when to try again and where, what to repeat, what to give up. It never waits unless it is told
 * to.
 *
 * Connections (roles): MAIN takes new requests. If it is not ready after RIVAL_MS, or says nothing
 * though it was pinged, a RIVAL is tried beside it, anew every RIVAL_MS, so that neither a slow
 * host nor a dead connection is waited for; whichever is ready first becomes MAIN. One that creeps,
 * whose replies all come after their deadlines, is left when a deadline passes. What was MAIN
 * and still owes replies is RETIRING until they have come or it is known to be dead. HEDGE is a
 * second one for reads that take long. Attempts are made only while somebody wants one; when every
 * host has failed once, the next round waits a random time up to 10, 20, 40 … 500 ms (exponential
 * backoff with full jitter). A host that worked is kept; the next of the URI is tried when it
 * fails, those that failed of late last (hosts.c).
 *
 * Tasks: a request with a moment by which it is over. It waits for a connection, is sent, and is
 * told its reply or its failure exactly once. What may be repeated (safe by op.def, or carrying an
 * operation id that the server knows) is sent again after a loss, and anything after a refusal that
 * says nothing was done (busy, shutting-down), at most SENDS_MAX times in all.
 * Requests without a task are never repeated; their replies are taken with client_core_next.
 *
 * Ownership: tasks are their makers', and must stay until they were told or removed. Errors: the
 * fault of a task's reply. Threads: one core, one thread at a time. After a fork the child's first
 * turn drops what is the parent's. Cost: beside the pipeline some 100 ns a turn. */
#ifndef CLIENT_CORE_H
#define CLIENT_CORE_H

#include <sys/types.h>

#include "client/link.h"

/* Attempts beside one that is slow begin, and are given up, after this long. */
#define CLIENT_RIVAL_MS 350
/* Longest wait before a round of attempts; half of what recovery may take. */
#define CLIENT_BACKOFF_MS_MAX 500
/* A request is sent this many times at most: who cuts the connection thrice may do it because of
 * the request. */
#define CLIENT_SENDS_MAX 3

enum client_role {
    CLIENT_MAIN,
    CLIENT_RIVAL,
    CLIENT_HEDGE,
    CLIENT_RETIRING,
    CLIENT_ROLES,
};

struct client_task;
/* The reply, or the failure as a reply with a fault; after it the task is not the core's any more,
 * unless reply->more. Must not call the core. */
typedef void client_task_done(struct client_task *task, const struct client_reply *reply);

struct client_task {
    struct client_request request; /* operation: in `operation`, or NULL */
    char operation[33];            /* empty if the payload has its own, or needs none */
    bool is_safe;                  /* by op.def */
    bool is_named;                 /* carries an operation id, its own or ours */
    bool is_hedgeable;
    bool is_hedged;
    bool is_listed;  /* in one of the core's lists */
    bool is_waiting; /* for a connection, or to be sent again */
    unsigned sends;
    unsigned round;   /* the core's when the task came */
    int64_t until_ms; /* its deadline */
    int64_t connect_until_ms;
    int64_t not_before_ms; /* it is sent again */
    int64_t sent_ms;
    struct {
        struct client_link *link;
        uint32_t id;
    } sent[2]; /* link NULL: not sent there */
    client_task_done *on_done;
    struct client_task *before;
    struct client_task *after;
};

struct client_task_list {
    struct client_task *first; /* the nearest deadline */
    struct client_task *last;
};

/* The last of what was written, in a log; seq 0: nothing was. */
struct client_token {
    uint64_t log;
    uint64_t seq;
};

struct client_core {
    struct client_settings settings;
    struct client_host hosts[CLIENT_HOSTS_MAX];
    size_t host_count;
    size_t host_at;             /* the host to try next */
    size_t round_failures;      /* attempts that failed since the round began */
    unsigned round;             /* rounds of attempts that have failed so far */
    unsigned backoff;           /* rounds in a row without a success */
    int64_t attempt_ms;         /* no attempt begins before */
    struct proto_fault failure; /* of the last attempt; PROTO_OK after a success */
    struct client_link *links[CLIENT_ROLES];
    struct client_link *lost; /* whose requests without a task have yet to be told */
    struct client_task_list waiting;
    struct client_task_list sent;
    struct client_greeting greeting; /* of the link that became ready last */
    struct client_token token;       /* what reads are to have seen */
    bool is_wanted;                  /* a connection is wanted without a task */
    int epoll_fd;
    uint32_t ids;
    pid_t pid;
    int64_t now_ms;     /* of the last turn */
    int64_t rival_ms;   /* no rival begins before */
    int64_t hedge_ms;   /* no connection for hedges is begun before */
    int64_t retired_ms; /* when RETIRING became that */
    bool has_news;      /* a task was told in this turn */
    uint64_t random;
    uint32_t hedge_credit; /* hundredths of a hedged request */
    int64_t wake_ms;
};

bool client_core_init(struct client_core *core, const struct client_settings *settings,
                      struct proto_fault *fault);
/* Tasks must have been removed. */
void client_core_fini(struct client_core *core);

/* Fills a task whose request, with what it borrows, stays until the task is over.
 * request->operation not NULL says that the payload carries an operation id already; else the task
 * makes one where the operation needs it. USAGE: there is no such operation. */
bool client_task_prepare(struct client_core *core, struct client_task *task,
                         const struct client_request *request, int64_t until_ms,
                         struct proto_fault *fault);
/* Takes a prepared task and sends it if there is a connection. It may be told at once. */
void client_core_add(struct client_core *core, struct client_task *task, int64_t now_ms);
/* Gives a task up: its reply is dropped when it comes. */
void client_core_remove(struct client_core *core, struct client_task *task);

/* One request without a task. 0 with *fault: CONNECT if there is no connection right now. */
uint32_t client_core_request(struct client_core *core, const struct client_request *request,
                             int64_t now_ms, struct proto_fault *fault);
/* The next reply, or failure, of a request without a task; tasks are told on the way. */
bool client_core_next(struct client_core *core, struct client_reply *reply);
/* NULL if no request without a task of that id waits, on any connection. */
struct client_pipeline *client_core_find(const struct client_core *core, uint32_t id, uint8_t *op);
size_t client_core_waiting(const struct client_core *core); /* requests without a task */

/* One turn: tells deadlines, keeps connections, sends, waits for bytes until a moment (the past:
 * not at all) and receives. To be called after client_core_next has returned false. Returns early
 * when there is something to look at. */
void client_core_turn(struct client_core *core, int64_t until_ms);
/* The first half of a turn: everything but bytes that have come. */
void client_core_flush(struct client_core *core);
/* When a turn wants to be taken next though nothing has come; INT64_MAX: never. */
int64_t client_core_wake_ms(const struct client_core *core);
/* Drops all connections; requests are told, or sent anew. */
void client_core_drop(struct client_core *core, const char *reason);
/* In a child process: lets go of everything that is the parent's. */
void client_core_fork_check(struct client_core *core);

/* Between the parts of the core. */
/* Reading what was written (token.c). Notes what a reply says of it. */
void client_token_note(struct client_core *core, struct client_link *link,
                       const struct client_reply *reply);
/* What a request must name on that link; 0: nothing. */
uint64_t client_token_wanted(const struct client_core *core, const struct client_link *link,
                             const struct client_request *request);
/* Of two of one log the later one, of two logs the other. */
void client_token_raise(struct client_token *token, struct client_token other);
/* What came of an attempt, for the choice of the next one (hosts.c). */
void client_host_failed(struct client_core *core, struct client_host *host, int64_t now_ms);
void client_host_worked(struct client_host *host);
/* The host to try after that one: the next of the URI that did not fail of late, perhaps itself. If
 * all did, the next. */
size_t client_host_after(const struct client_core *core, size_t host, int64_t now_ms);
void client_attempts_turn(struct client_core *core, int64_t now_ms);
void client_tasks_enter(struct client_core *core, struct client_task *task, int64_t now_ms);
/* Begins the connection for hedges, to the host after MAIN's, unless it failed just now. */
void client_hedge_start(struct client_core *core, int64_t now_ms);
void client_tasks_turn(struct client_core *core, int64_t now_ms);
void client_tasks_lost(struct client_core *core, struct client_link *link, int64_t now_ms);
void client_task_told(struct client_core *core, const struct client_reply *reply, int64_t now_ms);
/* The link of that role is lost: its tasks and requests are seen to. */
void client_role_lost(struct client_core *core, enum client_role role, int64_t now_ms);
/* MAIN takes no new requests and stays until it has answered what it owes. */
void client_main_retire(struct client_core *core, int64_t now_ms);
/* The same where another host had better be asked for a while: it drains, or has no room. */
void client_main_leave(struct client_core *core, int64_t now_ms);
/* A deadline passed over a request that was sent on `link`: MAIN is left if it is of no use. */
void client_deadline_passed(struct client_core *core, const struct client_link *link,
                            int64_t now_ms);
/* There is no connection in time: the last attempt's fault, or what the one under way waits for. */
void client_attempt_fault(const struct client_core *core, struct proto_fault *fault);
void client_wake_at(struct client_core *core, int64_t moment_ms);
int64_t client_random_below(struct client_core *core, int64_t bound);
int64_t client_now_ms(void);

#endif
