/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the server: accepts connections over TCP and a Unix socket, splits what they send into
 * frames, hands the frames of one read to a handler, and sends the replies with one write. It knows
 * frames and no opcode.
 *
 * Shapes: N workers, each a thread with one libuv loop, its own TCP listener (SO_REUSEPORT) and its
 * own connections; a connection stays on its worker. Connections of the Unix socket are accepted by
 * worker 0 and handed out in turn, because a Unix socket cannot be shared by SO_REUSEPORT.
 *
 * Back-pressure: a connection is not read while it waits for too many replies (pending_max), while
 * too much that was sent to it lies unsent (out_bytes_high), or while its handler asked for a break
 * (net_conn_stop). Memory for input and output over all connections is held near bytes_max: above
 * it a frame that would need a large buffer is answered BUSY and passed over, and connections that
 * do not read their replies are choked at NET_SMALL_BYTES instead of out_bytes_high. Worst case in
 * all: bytes_max + connections_max * (NET_SMALL_BYTES + NET_READ_BYTES + one batch of replies).
 *
 * TLS: a listener of its own, whose connections are the same behind their session. Handshakes run
 * on threads of low priority, NET_SHAKES_MAX of a worker at a time, the others in turn, so
 * that a flood of them costs those that are connected little.
 *
 * A refused frame (framing lost) is answered with its fault under its request id; the connection is
 * closed when that is sent. A spoilt one (version, checksum) is answered and the connection goes
 * on. A peer that ends its sending half still gets every reply that it waits for.
 *
 * Ownership: everything passed to a callback is borrowed for the call. Threads: callbacks run on
 * the worker's thread; a net_conn is touched only there, within callbacks. net_post,
 * net_server_drain, net_server_counters and net_server_port may be called from any thread. Signals:
 * workers block all signals; SIGPIPE must be ignored by the program (libuv writes without
 * MSG_NOSIGNAL). Cost: nothing is allocated per frame; a silent connection costs about 700 bytes
 * here. Source: libuv 1.44 (it has no bound on its write queue and no SO_REUSEPORT flag: both are
 * here). */
#ifndef NET_NET_H
#define NET_NET_H

#include <sys/socket.h>

#include "proto/frame.h"
#include "proto/writer.h"
#include "server/base/log.h"
#include "server/tls/tls.h"

/* One read takes at most this much; the buffer is shared by all connections of a worker. */
#define NET_READ_BYTES 65536
/* Input held for a connection up to this size is never refused for want of memory in all. */
#define NET_SMALL_BYTES 16384
/* Handshakes of one worker under way at a time. */
#define NET_SHAKES_MAX 2
/* Frames handed over in one call of on_frames. */
#define NET_BATCH_FRAMES 1024

/* One turn of a loop in so many is timed stage by stage (struct net_stages). */
#define NET_STAGES_EVERY 128

struct net_conn;
struct net_server;

/* Names a connection. A value: it stays valid after the connection closed, and a reply posted to it
 * is then dropped. */
struct net_ticket {
    uint32_t worker;
    uint32_t slot;
    uint64_t generation;
};

/* Where the time of one turn of a loop went, from the first read to the last reply written. Waiting
 * for input and posted replies are not part of it. */
struct net_stages {
    uint64_t read_ns;  /* system calls that read */
    uint64_t split_ns; /* cutting the bytes into frames, and between one connection and the next */
    uint64_t serve_ns; /* on_turn, on_peek and on_frames */
    uint64_t write_ns; /* system calls that wrote replies */
    uint64_t frames;   /* handed over */
};

/* Callbacks of the layer above. Only on_frames is required. */
struct net_handler {
    void *context;
    /* Once on each worker's thread before it serves and after it stopped. What start returns is the
     * `worker` of every other callback; NULL, with *fault, is how net_server_start fails. */
    void *(*on_worker_start)(void *context, unsigned worker_index, struct proto_fault *fault);
    void (*on_worker_stop)(void *context, void *worker);
    /* Once per loop turn that has frames, before the first on_frames of the turn: renew snapshots
     * here. */
    void (*on_turn)(void *context, void *worker);
    /* Some hundred milliseconds after the last turn that had frames, once: let go of snapshots
     * here. Not at the end of each turn, since taking a snapshot anew costs as much as a request.
     */
    void (*on_rest)(void *context, void *worker);
    /* Optional. Small reads of a turn are gathered before any of them is served; each is shown here
     * first, all with `step` 0, then all with 1, so that what a request needs can be on its way
     * from memory while others are looked at. The bytes may be anything that a client sends. */
    void (*on_peek)(void *context, void *worker, struct proto_span bytes, unsigned step);
    /* Whole frames of one connection, in the order in which they were sent; count ≥ 1. Replies that
     * are ready are appended to *out as whole frames; others follow through net_post. Returns how
     * many of these frames will be answered later: each counts against pending_max until it is
     * posted as final. */
    size_t (*on_frames)(void *context, void *worker, struct net_conn *conn,
                        const struct proto_frame *frames, size_t count, struct proto_writer *out);
    /* The connection is gone: free its state here. Called once for every connection, also for one
     * that never sent a frame; never within on_frames. */
    void (*on_close)(void *context, void *worker, struct net_conn *conn);
    /* Optional. No more will be read of the connection: what was asked is still answered, but what
     * waits for something that may never come had better not. Any number of times before on_close.
     */
    void (*on_finish)(void *context, void *worker, struct net_conn *conn);
    /* The peer is owed so many bytes that its requests are not read on (out_bytes_high), or is not
     * any more. */
    void (*on_owes)(void *context, void *worker, struct net_conn *conn, bool owes);
    /* Optional. So many bytes that were posted have come to the connection, on its worker; and,
     * with 0, when what could be sent of them at once has been. */
    void (*on_delivered)(void *context, void *worker, struct net_conn *conn, size_t bytes);
    /* Optional, both. A connection comes over TCP: whether it is welcome; if not, it is answered
     * BUSY with *fault and closed. *guest is a number of the layer above, which on_guest_gone is
     * told once when the connection has ended, with or without a state. On a worker's thread. */
    bool (*on_guest)(void *context, const struct sockaddr *from, uint32_t *guest,
                     struct proto_fault *fault);
    void (*on_guest_gone)(void *context, uint32_t guest);
    /* Optional. Now and then, some times a second: whether the connection may go on. False: it is
     * answered *fault under id 0 and closed when what it waits for is sent. Not for one whose state
     * is NULL. */
    bool (*on_look)(void *context, void *worker, struct net_conn *conn, struct proto_fault *fault);
    /* At the end of one turn in NET_STAGES_EVERY, if frames were handed over in it and nobody else
     * took the processor meanwhile. */
    void (*on_stages)(void *context, void *worker, const struct net_stages *stages);
};

/* ---- within callbacks ---- */

struct net_ticket net_conn_ticket(const struct net_conn *conn);
void *net_conn_state(const struct net_conn *conn); /* NULL at first */
void net_conn_set_state(struct net_conn *conn, void *state);
/* What on_guest gave; 0 for the Unix socket. */
uint32_t net_conn_guest(const struct net_conn *conn);
/* Where it comes from, as text: "127.0.0.1:50312", "[::1]:50312", "unix pid 4711"; "unknown" if
 * that cannot be said. A system call. */
void net_conn_address(const struct net_conn *conn, char *out, size_t out_bytes);
/* When the frames handed over were read, on the clock of net_options.now_ns: the start of a
 * request's deadline, also if the frames had to wait. */
uint64_t net_conn_read_ns(const struct net_conn *conn);
/* Within on_frames: nothing more of the connection is served or read until it is released, which
 * net_post does; for a request whose turn comes on another thread, and before whose turn no later
 * one of the connection may be begun. */
void net_conn_hold(struct net_conn *conn);
/* Within on_frames: the connection has shown who it is, and is no stranger any more
 * (net_options.strangers). Once is enough. */
void net_conn_known(struct net_conn *conn);
/* Within on_frames: it showed a wrong token. It is not read for a second, and closed after three.
 */
void net_conn_mistrust(struct net_conn *conn);
/* Bytes of replies that the peer has not taken, and the memory that they lie in: more, while a long
 * one leaves piece by piece. */
size_t net_conn_unsent(const struct net_conn *conn);
size_t net_conn_owed(const struct net_conn *conn);
/* Within on_frames: the memory in which the only frame that was handed over lies, where it is a
 * large one that was read into memory of its own; malloc'd, the caller's from now on, and the frame
 * stays valid as long as it. Else NULL. So what another thread is to decode need not be copied. */
void *net_conn_take_input(struct net_conn *conn);
/* How many bytes of replies the connection can take before it is choked. A handler whose replies
 * can be much larger than its requests stops (net_conn_stop) when *out has grown past this. */
size_t net_conn_out_room(const struct net_conn *conn);
/* Within on_frames: only the first frames_done (≥ 1) frames were handled. The others are kept and
 * handed over again in a later loop turn, when the output allows it. Also for a handler that has
 * worked for long enough to let other connections have their turn. */
void net_conn_stop(struct net_conn *conn, size_t frames_done);

/* ---- options ---- */

/* Every field is used as it is: start from net_options_default and change what you need. Times of 0
 * switch their deadline off. */
struct net_options {
    const char *host;        /* address, or a name, of which the first address counts; NULL = no
                              * TCP. Default 127.0.0.1 */
    uint16_t port;           /* 0 = any free one, see net_server_port. Default PROTO_PORT */
    const char *socket_path; /* Unix socket; NULL = none (default). A stale one is replaced, a live
                              * one or another kind of file is refused */
    unsigned socket_mode;    /* permissions of the Unix socket. Default 0660 */
    unsigned workers;        /* 1 … 256; 0 = as many as processors that may be used. Default 1 */
    struct tls_context *tls; /* of a second TCP listener; shared. NULL = none (default) */
    const char *tls_host;    /* its address. Default 127.0.0.1 */
    uint16_t tls_port;       /* 0 = any free one, see net_server_tls_port. Default PROTO_TLS_PORT */
    /* Sockets that listen already and do not block, such as of a service manager, in place of those
     * that would be bound; taken, also where net_server_create fails. 0 = none (default) */
    int tcp_fd, tls_fd, local_fd;
    unsigned backlog; /* connections that may wait to be accepted. Default 1024 */
    /* Connections over TCP accepted in a second, and at once after a rest, by all workers together;
     * the others wait in the backlog. One by TLS counts as NET_TLS_ACCEPTS. 0 = no limit (default),
     * at most 1000000 */
    unsigned accepts_max;
    bool tcp_nodelay; /* Default true */
    bool pin_workers; /* worker i on the i-th processor that may be used. Default false */

    unsigned connections_max; /* in all; one more gets BUSY under id 0. Default 10000 */
    size_t frame_bytes_max;   /* payload of one request. Default and most PROTO_FRAME_BYTES_MAX */
    unsigned pending_max;     /* requests of a connection that wait for net_post. Default 1024 */
    size_t out_bytes_high;    /* unsent to a connection: stop reading it; go on at half. 1 MiB */
    size_t out_bytes_max;     /* unsent to a connection: close it. Default 64 MiB, four frames */
    size_t bytes_max;         /* held over all connections, see above. Default 256 MiB */

    /* A connection is a stranger until net_conn_known: it may send requests of 4 KiB, is not read
     * on while it is owed as much, and makes room where connections_max are open. Default false */
    bool strangers;
    unsigned stranger_ms;   /* from accept until it is known. Default 10000 */
    unsigned first_byte_ms; /* from accept to the first byte. Default 10000 */
    unsigned frame_ms;      /* from the first byte of a frame to its last. Default 30000 */
    unsigned idle_ms;       /* without a request, reply or unsent byte. Default 300000 */
    unsigned write_ms;      /* unsent bytes and none taken by the peer. Default 30000 */

    uint64_t (*now_ns)(void *context); /* monotonic; NULL = CLOCK_MONOTONIC */
    void *now_context;
    struct base_log *log; /* a few lines a second of each worker; NULL = no log */
};

void net_options_default(struct net_options *options);

/* ---- server ---- */

/* Binds every listener, so that a port or path that is taken is known here; accepts nothing yet.
 * Options and handler are copied (their strings and contexts are borrowed until destroy). NULL with
 * *fault (BAD_CONFIG with field = the option, LOCKED with field = the option if another process has
 * the port or path, NO_MEMORY or IO) on failure. */
struct net_server *net_server_create(const struct net_options *options,
                                     const struct net_handler *handler, struct proto_fault *fault);

/* Starts the workers and waits until each is ready to serve. */
bool net_server_start(struct net_server *server, struct proto_fault *fault);

/* The TCP port bound, 0 without TCP. */
unsigned net_server_port(const struct net_server *server);
unsigned net_server_tls_port(const struct net_server *server); /* 0 without TLS */
/* From any thread: connections accepted from now on use this context, which is shared; those that
 * are open keep theirs. Only where there was one at the start. */
void net_server_tls_set(struct net_server *server, struct tls_context *tls);
unsigned net_server_workers(const struct net_server *server);

/* From any thread. Sends `frames` (whole reply frames in malloc'd memory, taken also when they are
 * dropped) to the connection; `final` ends one of its pending requests, and progress frames are
 * posted with final = false. Zero bytes with final = true end a request without a reply; with
 * final = false they release the connection from net_conn_hold. Never
 * waits for the network. Replies posted in one turn to one connection leave with one write. If the
 * connection has more than out_bytes_max unsent it is closed. Valid until net_server_destroy. */
void net_post(struct net_server *server, struct net_ticket ticket, struct proto_span frames_taken,
              bool final);

/* From any thread. Serves a connection that was made otherwise: a socket that does not block, such
 * as one end of a socket pair, which is taken. It is one of the Unix socket in all that follows,
 * and no limit keeps it out: who calls this sees to it that there are few. False: no memory; it is
 * closed. */
bool net_server_take(struct net_server *server, int fd);

/* Stops accepting, removes the Unix socket, answers what was read before, answers requests that
 * come later with SHUTTING_DOWN, sends what is unsent, and closes. What is left after grace_ms is
 * cut. Returns at once; may be called again with a shorter grace. */
void net_server_drain(struct net_server *server, unsigned grace_ms);

/* Waits until every worker has ended, which only net_server_drain brings about. */
void net_server_join(struct net_server *server);

/* Drains without grace and joins first if that was not done. NULL is allowed. */
void net_server_destroy(struct net_server *server);

/* Whether as many bytes are held for all connections as may be (bytes_max). Any thread. */
bool net_server_crowded(const struct net_server *server);

/* ---- figures ---- */

struct net_counters {
#define X(NAME, kind, help) uint64_t NAME;
#include "server/net/net_counter.def"
#undef X
};

enum net_counter_kind { NET_COUNTER, NET_GAUGE };

struct net_counter_info {
    const char *name;
    enum net_counter_kind kind;
    const char *help;
    size_t offset; /* of the uint64_t within struct net_counters */
};

/* Sums over the workers; takes no lock. */
void net_server_counters(const struct net_server *server, struct net_counters *counters);
/* Name and meaning of every field of net_counters, in order. */
const struct net_counter_info *net_counter_infos(size_t *count);

#endif
