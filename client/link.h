/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to one host, from the first look at its name to its loss: RESOLVING, CONNECTING,
 * SECURING, GREETING, READY, LOST, in that order, each but the last two with the same limit in
 * time. It moves bytes when it is told to and never waits; whether to try again, and where, is the
 * core's affair (core.h).
 *
 * Ownership: a link owns its socket, its addresses and its pipeline; it borrows its settings and
 * its host. Errors: `lost` of the pipeline with its fault; sticky. Threads: its core's. Cost: two
 * buffers of 64 KiB once it has been used. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "client/icp.h"
#include "client/pipeline.h"
#include "client/resolve.h"
#include "client/secure.h"
#include "client/uri.h"

/* What a client was told when it was made; texts are its own. */
struct client_settings {
    struct icp_allocator allocator;
    uint32_t connect_timeout_ms;
    uint32_t call_timeout_ms;
    bool is_patient; /* repeats what may be repeated */
    bool checksum;
    bool carries_token; /* reads wait for what was written */
    char *name;
    char *token; /* NULL: none */
    size_t in_flight_max;
    size_t buffer_bytes_max;
    uint32_t hedge_ms; /* 0: no hedging */
    uint32_t hedge_percent_max;
    void (*on_log)(void *context, enum icp_log_level level, const char *message);
    void *log_context;
    client_resolve *resolve;
    struct client_trust *trust; /* NULL: no host asks for TLS */
};

/* A host of the URI. A lookup outlives the attempt that began it, so that a resolver that hangs
 * costs one thread, not one an attempt. */
struct client_host {
    struct client_uri uri;
    struct client_lookup *lookup; /* NULL: none runs */
    unsigned failures;            /* attempts in a row */
    int64_t cool_ms;              /* before it others are tried first */
};

/* As long as silence takes to be noticed, the ping and its wait together. */
#define CLIENT_USELESS_MS (PROTO_QUIET_MS + PROTO_PING_MS)

enum client_link_state {
    CLIENT_RESOLVING,
    CLIENT_CONNECTING,
    CLIENT_SECURING, /* where the URI asks for it */
    CLIENT_GREETING,
    CLIENT_READY,
};

/* What the greeting said. */
struct client_greeting {
    char texts[256];
    struct icp_server server; /* texts in `texts` */
    bool has_operations;      /* a write that carries an operation id may be repeated */
    uint64_t log;             /* which one its sequences are of; 0: it does not say */
};

struct client_link {
    enum client_link_state state;
    const struct client_settings *settings;
    struct client_host *host;
    int epoll_fd;                 /* where the socket is watched */
    int fd;                       /* -1: none */
    struct client_secure *secure; /* NULL: bytes go as they are */
    unsigned watched;             /* events that epoll was told of */
    bool is_deaf;     /* the peer takes no more bytes; what it said before may still be read */
    bool is_finished; /* the peer has said its last byte */
    struct addrinfo *addresses;
    struct addrinfo *address_next;
    unsigned addresses_left;
    int64_t started_ms;
    int64_t until_ms;         /* the limit of all states before READY */
    int64_t address_until_ms; /* of the address that is being tried */
    int64_t heard_ms;         /* when bytes came last, or the link became ready */
    int64_t asked_ms;         /* when the oldest request was sent that nothing was heard since */
    int64_t useless_ms;       /* since when nothing came that is waited for; 0: nothing is asked */
    int64_t probed_ms;        /* when a ping was sent to see if anybody is there; 0: none is out */
    uint32_t probe_gap_ms;
    int wait_ms;       /* what a blocking read of the socket waits at most; 0: it is not set */
    int wait_ms_seen;  /* what was last asked for */
    bool has_answered; /* a request was answered, beyond the greeting */
    bool is_noted;     /* the core knows that it is ready */
    uint64_t seen_seq; /* the host has applied it */
    uint32_t hello_id;
    uint32_t probe_id;
    struct client_greeting greeting;
    struct client_pipeline pipeline;
    struct client_link *next; /* in the core's list of lost ones */
};

/* NULL: no memory. `ids` is the numbering that all links of a core share. */
struct client_link *client_link_create(const struct client_settings *settings,
                                       struct client_host *host, int epoll_fd, uint32_t *ids);
/* Drops the socket and all requests. */
void client_link_destroy(struct client_link *link);
/* Begins; a failure shows as a loss. */
void client_link_start(struct client_link *link, int64_t now_ms, int64_t until_ms);
/* Goes on with what needs no readiness: a lookup that is done, an address or a limit that is up. */
void client_link_step(struct client_link *link, int64_t now_ms);
/* The socket is ready (EPOLLIN and the like): moves bytes. */
void client_link_move(struct client_link *link, unsigned events, int64_t now_ms);
/* Waits for bytes in the read itself, one call to the system instead of two, if this link is all
 * that there is to wait for and has nothing to send. *heard: bytes came. False: wait otherwise. */
bool client_link_wait(struct client_link *link, int wait_ms, bool *heard);
/* Sends what waits, as far as the socket takes it, and tells epoll what to wait for. */
void client_link_push(struct client_link *link);
/* Looks whether a peer that was quiet has gone, without waiting. */
void client_link_look(struct client_link *link, int64_t now_ms);
/* The next reply that somebody waits for. False: none is whole yet; after a loss none comes. */
bool client_link_next(struct client_link *link, int64_t now_ms, struct client_reply *reply);
uint32_t client_link_request(struct client_link *link, const struct client_request *request,
                             int64_t now_ms, struct proto_fault *fault);
/* Closes the socket and makes the loss; the requests stay to be asked for. */
void client_link_lose(struct client_link *link, enum proto_error code, const char *reason);
/* The same without a word to epoll, whose set is the parent process's too. */
void client_link_orphan(struct client_link *link);
/* A deadline has passed over a request on it: whether new ones had better go elsewhere, since for
 * CLIENT_USELESS_MS it has brought bytes, but none that came in time. One that brings nothing is
 * pinged instead. */
bool client_link_is_useless(const struct client_link *link, int64_t now_ms);
/* Sends a ping if nothing has been heard for a while though something was asked; true if that
 * did not bring a sign of life either. *wake_ms is lowered to when it wants to be asked again. */
bool client_link_is_dead(struct client_link *link, int64_t now_ms, int64_t *wake_ms);

static inline bool client_link_ready(const struct client_link *link)
{
    return link != NULL && link->state == CLIENT_READY && !link->pipeline.lost;
}
/* "127.0.0.1:4273", "[::1]:4273" or a path. Returns text. */
const char *client_host_text(const struct client_host *host, char *text, size_t text_bytes);
#define CLIENT_HOST_TEXT_BYTES (CLIENT_HOST_BYTES_MAX + 16)

void client_log(const struct client_settings *settings, enum icp_log_level level,
                const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
