/* SPDX-License-Identifier: Apache-2.0 */
/* What the blocking shell is made of; private to client/. The pipeline decides, this folder's
 * connect.c, wait.c and call.c move bytes. Threads: one client, one thread at a time. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/icp.h"
#include "client/pipeline.h"
#include "client/uri.h"

/* A reply that came while another one was waited for. */
struct client_kept {
    struct client_kept *next;
    struct client_reply reply; /* payload points behind this struct */
};

struct icp_client {
    int fd;           /* -1: not connected */
    bool is_deaf;     /* the peer takes no more bytes; what it said before may still be read */
    bool is_finished; /* the peer has said its last byte */
    struct client_uri uri;
    uint32_t connect_timeout_ms;
    uint32_t call_timeout_ms;
    bool retry;
    char *name;
    char *token; /* NULL: none */
    struct client_pipeline pipeline;
    struct client_kept *kept_first;
    struct client_kept *kept_last;
    size_t kept_bytes;
    struct icp_payload *query; /* reused by icp_score; NULL until the first */
    struct icp_server server;  /* texts in `greeting` */
    char greeting[320];
};

/* A payload as it is built. Counts are patched in when a list or map ends. */
#define CLIENT_NESTING_MAX PROTO_DEPTH_MAX
struct icp_payload {
    struct proto_writer body; /* the pairs of the outermost map, without its header */
    unsigned depth;           /* open levels below the outermost */
    struct {
        size_t head; /* where the header of this level stands; unused for level 0 */
        size_t count;
        bool is_map;
    } levels[CLIENT_NESTING_MAX];
    enum proto_error error; /* sticky */
    const char *reason;
};
/* False with *fault if the payload cannot be sent. NULL is an empty payload. */
bool client_payload_finish(const struct icp_payload *payload, size_t *pairs,
                           struct proto_span *body, struct proto_fault *fault);

/* Milliseconds of the monotonic clock, and the moment `timeout_ms` from now. */
int64_t client_now_ms(void);
/* Sends what waits and reads what has come, once, waiting until there is something to do or until
 * until_ms. False: nothing happened in time (*fault TIMEOUT), or the connection is lost. */
bool client_pump(struct icp_client *client, int64_t until_ms, struct proto_fault *fault);
/* Opens the socket to client->uri; the greeting is not part of it. */
bool client_open(struct icp_client *client, int64_t until_ms, struct proto_fault *fault);
void client_shut(struct icp_client *client);

/* One request and its reply until a moment; gives the request up when the moment passes. */
bool client_call_until(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                       int64_t until_ms, struct icp_reply *reply);
void client_kept_clear(struct icp_client *client);
/* Keeps one failed reply, with *fault, for each request in flight. */
bool client_kept_abandoned(struct icp_client *client, struct proto_fault *fault);
bool client_reconnect(struct icp_client *client, struct proto_fault *fault);

void client_fault_export(const struct proto_fault *from, struct icp_fault *to);
/* Makes *reply say that request `id` failed. Returns false. */
bool client_reply_fail(struct icp_reply *reply, uint32_t id, uint8_t op,
                       const struct proto_fault *fault);

#endif
