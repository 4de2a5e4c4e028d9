/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of server/net: what its files share. A worker owns a loop, a listener and its connections;
 * everything in it is touched by its own thread alone, except the inbox (atomic), counters (relaxed
 * atomics with one writer) and what says otherwise.
 *
 * Life of a connection:
 *   OPEN       read, answered
 *   FINISHING  no more input is taken (end of input, framing lost, drain); waits until every
 *              pending reply is posted and sent
 *   LINGER     everything is sent and the sending half is shut; input is thrown away until the peer
 *              closes, at most NET_LINGER_MS, because closing a socket with unread input makes the
 *              kernel send a reset that can overtake the last reply
 *   CLOSED     uv_close was called; the memory goes in its callback */
#ifndef NET_NET_WORKER_H
#define NET_NET_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "server/auth/token_bucket.h"
#include "server/net/bell.h"
#include "server/net/net.h"

/* A reset is avoided for clients that answer within this. */
#define NET_LINGER_MS 250
/* Connections accepted in one loop turn, so that a flood of them does not starve those that are. */
#define NET_ACCEPTS_PER_TURN 64
/* How long accepting rests where accepts_max is reached: for some connections at once, not a wake
 * for each. */
#define NET_PACE_MS 10
/* What a handshake costs at least, in connections without one. */
#define NET_TLS_ACCEPTS 4
/* Refused connections kept until the next sweep, so that they can read why. */
#define NET_REFUSED_HELD 64
/* Bounds of the sweep's period; it is an eighth of the shortest deadline within them. */
/* Reads of at most so many bytes are gathered (net.h, on_peek): a request or a few. */
#define NET_GATHER_BYTES 512
#define NET_PEEK_STEPS 2
#define NET_SWEEP_MS_MIN 5
#define NET_SWEEP_MS_MAX 250
#define NET_SWEEP_MS_DRAIN 20
/* What a stranger may send at once, and is owed before it is not read on. */
#define NET_STRANGER_BYTES_MAX 4096
#define NET_STRANGER_OUT_BYTES 1024
/* What the kernel is asked to keep for one, of what was sent to it and of what it sends; it takes
 * twice as much of both, for what it keeps beside the bytes. A few segments of an Ethernet have to
 * fit, since what does not is dropped and sent again a fifth of a second later. */
#define NET_STRANGER_SEND_BYTES 2304
#define NET_STRANGER_RECEIVE_BYTES 4096
/* How long a connection that showed a wrong token is not read; how many it may show. */
#define NET_QUIET_MS 1000
#define NET_MISTRUST_MAX 3
/* Handshakes that were begun and wait for their client keep TLS_SHAKING_BYTES each. All that wait
 * have a quarter of bytes_max, but there may be so many of each worker. */
#define NET_HALVES_SHARE 4
#define NET_HALVES_LEAST 64
/* Lines a worker may log in a second; the rest is counted. */
#define NET_LOG_LINES_PER_SECOND 20
/* Buffers above this are given back as soon as they are empty. */
#define NET_KEEP_BYTES 4096
#define NET_WORKERS_MAX 256
/* Threads that shake hands, for all workers; as many as there are workers up to this. */
#define NET_SHAKERS_MAX 4

/* What kind of listener a connection came by. */
enum net_kind { NET_TCP, NET_UNIX, NET_TLS };

enum net_phase { NET_OPEN, NET_FINISHING, NET_LINGER, NET_CLOSED };

struct net_tally {
#define X(NAME, kind, help) _Atomic uint64_t NAME;
#include "server/net/net_counter.def"
#undef X
};

/* One thread writes a tally, so a plain load and store will do; readers see whole words. */
#define NET_TALLY(worker, name, n) net_tally_add(&(worker)->tally.name, (uint64_t)(n))

static inline void net_tally_add(_Atomic uint64_t *figure, uint64_t n)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Malloc'd bytes from `start` to `start + bytes`; data is NULL if capacity is 0. */
struct net_buffer {
    uint8_t *data;
    size_t start;
    size_t bytes;
    size_t capacity;
};

struct net_conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_write_t write;
    struct net_worker *worker;
    void *state;
    uint64_t generation;
    uint32_t slot;
    uint32_t guest; /* what on_guest gave; 0: none */
    enum net_phase phase;
    _Atomic uint64_t *reason; /* why it finishes: the figure to count at the close */
    bool reading;
    bool input_ended; /* the peer shut its sending half */
    bool spoken;      /* the first byte has come */
    bool blocked;     /* `in` may hold whole frames that wait for their turn */
    bool choked;      /* too much unsent; ends at half the high-water mark */
    bool held;        /* net_conn_hold */
    bool stopped;     /* waits in worker->stopped for the next turn */
    bool gathered;    /* waits there for the end of this turn's reads only, and reads on */
    bool touched;     /* waits in worker->touched for the end of this turn's posts */
    bool sending;     /* `write` is under way with `sent` */
    bool drained;     /* of a drain: waited for nothing at the last sweep */
    size_t pending;
    size_t skip_bytes;         /* of a frame answered BUSY, still to come and to be thrown away */
    size_t serve_bytes;        /* while draining: input that was there before and is still served */
    struct net_secure *secure; /* NULL: bytes are sent as they are */
    struct net_buffer in;
    struct net_buffer sent;    /* being written by libuv */
    struct net_buffer waiting; /* to be written after it */
    struct net_conn *next_stopped;
    struct net_conn *next_touched;
    struct net_conn *older, *newer;  /* of worker->strangers, while it is one */
    bool known;                      /* not a stranger, or not any more */
    int kernel_send, kernel_receive; /* bytes of the socket before it was narrowed; 0: it was not */
    unsigned char mistrust;          /* wrong tokens of a stranger, and the like */
    uint64_t quiet_ns;               /* until when it is not read for them; 0: it is */
    uint64_t opened_ns;
    uint64_t read_ns;
    uint64_t active_ns;
    uint64_t frame_ns; /* when the partial frame in `in` began; 0 = none is awaited */
    uint64_t linger_ns;
    uint64_t progress_ns; /* when unsent bytes were last seen to shrink */
    size_t progress_bytes;
};

struct net_slot {
    struct net_conn *conn; /* NULL = free */
    uint64_t generation;
    uint32_t next_free;
};

/* TAKEN: a socket that nobody has accepted and counted yet. SHAKEN: part of the session that a
 * thread has worked on. */
enum net_mail_kind { NET_MAIL_POST, NET_MAIL_SOCKET, NET_MAIL_TAKEN, NET_MAIL_SHAKEN };

struct net_mail {
    struct net_mail *next;
    enum net_mail_kind kind;
    bool final;
    int fd; /* an accepted connection of the Unix socket */
    struct net_secure *secure;
    struct net_ticket ticket;
    struct proto_span frames;
};

struct net_listener {
    uv_poll_t poll;
    struct net_worker *worker;
    int fd; /* -1 = none */
    bool polling;
    enum net_kind kind;
};

/* The TLS session of a connection. While another thread shakes hands (`works`) nobody else
 * touches it, and the connection is not read; if the connection ends meanwhile, `conn` is NULL and
 * the end of the work frees it. */
struct net_secure {
    struct tls_session *session;
    struct net_worker *worker;
    struct net_conn *conn;
    struct net_secure *next; /* of worker->shakes.first, net_shakers.first or worker->secure_more */
    struct net_secure *older, *newer; /* of worker->halves */
    void (*on_shaken)(struct net_conn *conn);
    struct net_mail mail;   /* how it comes back */
    enum tls_shaken shaken; /* TLS_SHAKES at first */
    struct proto_fault fault;
    bool works;
    bool waits;     /* in worker->shakes */
    bool half;      /* in worker->halves */
    bool more;      /* there may be plain bytes, and they were not wanted when they came */
    bool later;     /* in worker->secure_more */
    bool ended;     /* the peer was told that no more will come */
    size_t counted; /* of what the session holds, in server->held */
};

struct net_worker {
    struct net_server *server;
    uint32_t index;
    void *context; /* what on_worker_start returned */
    pthread_t thread;

    uv_loop_t loop;
    struct net_bell wake;
    uv_timer_t timer;
    uv_timer_t pace; /* ends a rest of accepting */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_idle_t busy;     /* active while `stopped` is not empty: the loop must not wait */
    uv_idle_cb on_busy; /* serves them */

    struct net_listener tcp;
    struct net_listener local;
    struct net_listener tls;
    int reserve_fd; /* given up for a moment to turn a connection away when descriptors run out */
    int refused[NET_REFUSED_HELD];
    unsigned refused_count;

    struct net_slot *slots;
    uint32_t slots_count;
    uint32_t slots_capacity;
    uint32_t slots_free; /* UINT32_MAX = none */
    uint32_t open;       /* connections whose memory is not yet freed */
    uint64_t generation;

    bool gathering; /* some connection is gathered */
    bool turn_begun;
    bool turned; /* a turn had frames since the last sweep */
    bool awake;  /* a turn had frames since the last on_rest */
    bool now_known;
    uint64_t now_ns;
    bool draining;

    struct net_strangers {
        struct net_conn *oldest, *newest;
    } strangers;

    struct net_conn *stopped;
    struct net_conn *serving; /* the connection within on_frames */
    size_t stop_at;           /* what net_conn_stop said */
    struct proto_writer out;
    struct proto_frame *frames; /* NET_BATCH_FRAMES */
    uint8_t *read_buffer;       /* NET_SMALL_BYTES of headroom, then NET_READ_BYTES */
    uint8_t *cipher_buffer;     /* NET_READ_BYTES; NULL without TLS */

    struct {
        unsigned under_way;
        struct net_secure *first;
        struct net_secure **last;
    } shakes;
    struct net_secure *secure_more; /* to be read on in the next turn */
    struct {
        struct net_secure *oldest, *newest;
        size_t count;
    } halves; /* whose handshake was begun and waits for the client */

    uint32_t turns;
    bool timing;            /* the turn under way is one whose stages are timed */
    uint64_t stage_ns;      /* when the last stage ended */
    uint64_t stages_cpu_ns; /* processor time of the thread when the turn began */
    struct net_stages stages;

    uint64_t log_second;
    unsigned log_lines;
    unsigned log_left_out;

    _Atomic(struct net_mail *) inbox; /* newest first; NULL: empty */
    atomic_bool mail_lost; /* a post found no memory: its connection cannot be kept honest */

    struct net_tally tally;
};

/* shaker.c */
struct net_shakers {
    pthread_mutex_t lock; /* of all but threads and count */
    pthread_cond_t some;
    struct net_secure *first; /* that waits */
    struct net_secure **last;
    bool ends;
    pthread_t threads[NET_SHAKERS_MAX];
    unsigned count;
};

struct net_server {
    struct net_options options;
    struct net_handler handler;
    struct net_worker *workers;
    unsigned workers_count;
    unsigned workers_ready; /* whose loop exists */
    unsigned workers_started;
    pthread_mutex_t begun_lock;
    pthread_cond_t begun;           /* of the following two */
    unsigned workers_begun;         /* under the lock; whose on_worker_start has returned */
    struct proto_fault begun_fault; /* under the lock; of one that did not succeed */
    bool joined;
    unsigned port;
    unsigned tls_port;
    pthread_mutex_t tls_lock; /* of options.tls */
    struct net_shakers shakers;
    size_t out_bytes_low;
    unsigned sweep_ms;
    uint64_t socket_device; /* of the Unix socket as bound, to remove no other */
    uint64_t socket_inode;
    atomic_uint open;
    atomic_size_t held;
    atomic_bool draining;
    _Atomic uint64_t drain_until_ns;
    struct auth_bucket accepts; /* of options.accepts_max */
    uint32_t next_worker;       /* for connections of the Unix socket; worker 0 only */
};

/* net_options.c */
bool net_options_check(struct net_options *options, struct proto_fault *fault);
uint64_t net_server_now(const struct net_server *server);

/* net_worker.c */
bool net_worker_init(struct net_worker *worker, struct net_server *server, uint32_t index,
                     struct proto_fault *fault);
void net_worker_fini(struct net_worker *worker); /* the thread has ended or never ran */
void *net_worker_run(void *worker);

/* net_ground.c */
uint64_t net_worker_now(struct net_worker *worker); /* one reading of the clock a turn */
void net_worker_turn(struct net_worker *worker);    /* calls on_turn unless it was this turn */
/* As base_log, but at most NET_LOG_LINES_PER_SECOND of a worker. */
#define net_worker_log(worker, level, message, ...)                                                \
    net_worker_log_write((worker), (level), "" message, __VA_ARGS__)
void net_worker_log_write(struct net_worker *worker, enum base_log_level level, const char *message,
                          const struct base_log_field *fields, size_t count);
void net_worker_hold(struct net_worker *worker, size_t more, size_t less);
bool net_worker_crowded(const struct net_worker *worker,
                        size_t more);                   /* past bytes_max with more */
void net_worker_keep_busy(struct net_worker *worker);   /* the loop must not wait: see `stopped` */
void net_worker_end_if_done(struct net_worker *worker); /* drained, and nobody is connected */

/* stage.c: the loop will wait for input, and what comes then may be a turn that is timed; time that
 * belongs to no stage ends; a stage ends; the turn is over and told of. */
void net_stages_begin(struct net_worker *worker);
void net_stages_tell(struct net_worker *worker);
void net_stage_time(struct net_worker *worker, uint64_t *stage_ns);
static inline void net_stage_start(struct net_worker *worker)
{
    if (__builtin_expect(worker->timing, 0)) {
        net_stage_time(worker, NULL);
    }
}
static inline void net_stage_end(struct net_worker *worker, uint64_t *stage_ns)
{
    if (__builtin_expect(worker->timing, 0)) {
        net_stage_time(worker, stage_ns);
    }
}

/* slot.c */
bool net_slot_take(struct net_worker *worker, struct net_conn *conn);
void net_slot_release(struct net_worker *worker, struct net_conn *conn);
struct net_conn *net_slot_find(const struct net_worker *worker, struct net_ticket ticket);

/* listener.c */
bool net_listen_tcp(struct net_server *server, struct proto_fault *fault);
bool net_listen_tls(struct net_server *server, struct proto_fault *fault);
bool net_listen_local(struct net_server *server, struct proto_fault *fault);
void net_listener_init(struct net_listener *listener, struct net_worker *worker,
                       enum net_kind kind);
/* Gives a socket that listens already to worker 0 and, of TCP and TLS, to all. */
bool net_listen_given(struct net_server *server, int fd, enum net_kind kind,
                      struct proto_fault *fault);
bool net_listener_poll(struct net_listener *listener); /* gives a bound one its handle */
bool net_listener_start(struct net_listener *listener, uv_poll_cb on_ready);
void net_listener_close(struct net_listener *listener);

/* accept.c */
void net_accept_adopt(struct net_worker *worker, int fd, enum net_kind kind, uint32_t guest);
void net_accept_tick(struct net_worker *worker); /* refused ones, descriptors, paused listeners */
void net_accept_fini(struct net_worker *worker);

/* stranger.c: connections that have not shown who they are */
void net_stranger_enter(struct net_conn *conn, int fd, enum net_kind kind); /* just opened */
void net_stranger_leave(struct net_conn *conn); /* known, or closed; may be neither's first time */
/* Largest payload of a request; unsent bytes at which it is not read on. */
size_t net_conn_frame_bytes_max(const struct net_conn *conn);
size_t net_conn_out_high(const struct net_conn *conn);
/* Whether it waits for what it did wrong. */
bool net_conn_is_quiet(struct net_conn *conn, uint64_t now_ns);

/* conn.c */
bool net_conn_open(struct net_worker *worker, int fd, enum net_kind kind, uint32_t guest);
void net_guest_gone(const struct net_worker *worker, uint32_t guest);
void net_conn_close(struct net_conn *conn, _Atomic uint64_t *reason);
void net_conn_finish(struct net_conn *conn, _Atomic uint64_t *reason);
/* Sends what waits, serves what may be served, starts or stops reading, ends what is finished: the
 * one place where a connection goes on after anything changed. */
void net_conn_settle(struct net_conn *conn);

/* conn_read.c */
void net_conn_read_start(struct net_conn *conn);
void net_conn_read_stop(struct net_conn *conn);
bool net_conn_may_serve(const struct net_conn *conn);
void net_conn_serve_held(struct net_conn *conn);
void net_conn_resume_stopped(struct net_worker *worker);
void net_conn_unstop(struct net_conn *conn); /* takes it out of worker->stopped, where it is */
/* What was read in this turn and waits for the others (conn_read.c). */
void net_conn_serve_gathered(struct net_worker *worker);
/* Where the next plain bytes of the connection belong, and that so many have come there. */
void net_conn_read_place(struct net_conn *conn, uint8_t **base, size_t *bytes);
void net_conn_read_take(struct net_conn *conn, uint8_t *base, size_t bytes);
/* The peer sends no more: every reply that is owed is sent, then the connection is closed. */
void net_conn_read_end(struct net_conn *conn, _Atomic uint64_t *reason);

/* net_secure.c */
struct net_secure *net_secure_create(struct net_worker *worker, struct net_conn *conn);
void net_secure_leave(struct net_secure *secure); /* the connection is gone; NULL is allowed */
/* Shakes hands on another thread, when its turn has come, with what the session holds;
 * on_shaken(conn) follows on this one unless the connection has gone. */
void net_secure_shake(struct net_secure *secure, void (*on_shaken)(struct net_conn *conn));
/* The handshake waits for its client. Returns the connection for which that is so longest if there
 * are too many of them, else NULL. */
struct net_conn *net_secure_half(struct net_secure *secure);
void net_secure_whole(struct net_secure *secure); /* it waits no more, or never did */
/* Turns frames into records, valid until tls_session_sent; false: it cannot. */
bool net_secure_seal(struct net_secure *secure, struct proto_span *frames);
/* Counts what the session holds now; not while it works. */
void net_secure_count(struct net_secure *secure);
void net_secure_later(struct net_secure *secure); /* it is read on in the next turn */

/* Another thread has worked on it; called on its worker's, or after that has ended. */
void net_secure_shaken(struct net_secure *secure);

/* shaker.c */
void net_shakers_init(struct net_shakers *shakers);
int net_shakers_start(struct net_shakers *shakers, unsigned threads); /* 0, or an errno */
/* Taken until it comes back as mail to its worker. */
void net_shakers_put(struct net_shakers *shakers, struct net_secure *secure);
void net_shakers_fini(struct net_shakers *shakers); /* works off what waits; mail may follow */

/* conn_secure.c */
void net_conn_secure_bytes(struct net_conn *conn, struct proto_span bytes); /* from the peer */
void net_conn_secure_resume(struct net_worker *worker);
/* Tells the peer that no more will come; true: that lies unsent now. */
bool net_conn_secure_end(struct net_conn *conn);

/* conn_serve.c: returns how many of the bytes were used; what is left is to be held. */
size_t net_conn_serve(struct net_conn *conn, struct proto_span bytes);
/* How many of the bytes held are whole frames. */
size_t net_conn_whole_bytes(const struct net_conn *conn);
/* Appends an error reply to worker->out. */
void net_conn_answer(struct net_conn *conn, enum proto_error code, uint32_t request_id,
                     const char *message);

/* conn_write.c */
/* Sends what worker->out holds with one write and empties it. */
void net_conn_send_out(struct net_conn *conn);
void net_conn_send(struct net_conn *conn, struct proto_span frames);      /* borrowed */
void net_conn_send_bytes(struct net_conn *conn, struct proto_span bytes); /* as they are */
bool net_conn_queue(struct net_conn *conn, struct proto_span frames_taken);
void net_conn_flush(struct net_conn *conn);
void net_conn_choke(struct net_conn *conn); /* sets or ends `choked` by what is unsent */
void net_buffer_free(struct net_worker *worker, struct net_buffer *buffer);
bool net_buffer_reserve(struct net_worker *worker, struct net_buffer *buffer, size_t capacity);
size_t net_frames_count(struct proto_span frames); /* asserts that they are whole */

/* post.c */
void net_mail_deliver(struct net_worker *worker);
void net_mail_drop_all(struct net_worker *worker); /* after the last turn */

/* mailbox.c */
struct net_mail *net_mail_take_all(struct net_worker *worker);
void net_mail_frames_free(struct proto_span frames); /* as net_post was given them */
bool net_mail_socket(struct net_worker *worker, int fd, enum net_mail_kind kind);
void net_mail_shaken(struct net_secure *secure);

/* sweep.c */
void net_sweep_tick(struct net_worker *worker);
void net_sweep_drain_begin(struct net_worker *worker);

#endif
