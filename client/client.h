/* SPDX-License-Identifier: Apache-2.0 */
/* What the blocking client is made of; private to client/. The core decides and moves bytes, this
 * folder's connect.c and call.c wait for it. Threads: one client, one thread at a time. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/core.h"

/* A reply that came while another one was waited for. */
struct client_kept {
    struct client_kept *next;
    struct client_reply reply; /* payload points behind this struct */
};

struct icp_client {
    struct client_core core;
    struct client_kept *kept_first;
    struct client_kept *kept_last;
    size_t kept_bytes;
    struct icp_payload *query;  /* reused by icp_score_lead; NULL until the first */
    struct icp_options options; /* as they were read; its texts are not ours */
    struct icp_client *next;    /* in a pool's list */
};

/* A payload as it is built. Counts are patched in when a list or map ends. */
#define CLIENT_NESTING_MAX PROTO_DEPTH_MAX
struct icp_payload {
    struct icp_allocator allocator;
    struct proto_writer body; /* the pairs of the outermost map, without its header */
    unsigned depth;           /* open levels below the outermost */
    struct {
        size_t head; /* where the header of this level stands; unused for level 0 */
        size_t count;
        bool is_map;
    } levels[CLIENT_NESTING_MAX];
    bool is_named;          /* the outermost map has the key `operation` */
    bool has_min_seq;       /* the same of `min_seq` */
    enum proto_error error; /* sticky */
    const char *reason;
};
/* False with *fault if the payload cannot be sent. NULL is an empty payload. */
bool client_payload_finish(const struct icp_payload *payload, size_t *pairs,
                           struct proto_span *body, struct proto_fault *fault);
/* The payload as a request of an operation; `operation` is not NULL if the payload has one. */
bool client_request_fill(enum icp_op op, const struct icp_payload *payload,
                         struct client_request *request, struct proto_fault *fault);

/* Makes a core for a URI and options as client_options_read leaves them; texts are copied.
 * `resolve` NULL: the system's. client_core_close also after a failure. */
bool client_core_open(struct client_core *core, const char *uri, const struct icp_options *options,
                      client_resolve *resolve, struct proto_fault *fault);
void client_core_close(struct client_core *core);
/* Copies a caller's struct, which may be of an older or a newer version: `from_bytes` is its size,
 * 0 for first_bytes. False: it uses members that this version does not know. */
bool client_struct_read(void *to, size_t to_bytes, const void *from, size_t from_bytes,
                        size_t first_bytes);
/* Options of any size as this version knows them. */
bool client_options_read(const struct icp_options *from, struct icp_options *to,
                         struct proto_fault *fault);
/* A client that has not connected yet; options as client_options_read leaves them. */
struct icp_client *client_create(const char *uri, const struct icp_options *options,
                                 client_resolve *resolve, struct proto_fault *fault);
/* Waits for a connection until a moment. */
bool client_ready_until(struct icp_client *client, int64_t until_ms, struct proto_fault *fault);
/* The moment timeout_ms from now, 0 = the client's default. */
int64_t client_until_ms(const struct icp_client *client, uint32_t timeout_ms);

void client_kept_clear(struct icp_client *client);
void client_fault_export(const struct proto_fault *from, struct icp_fault *to);
/* Makes *reply say that request `id` failed. Returns false. */
bool client_reply_fail(struct icp_reply *reply, uint32_t id, uint8_t op,
                       const struct proto_fault *fault);
/* Copies a reply into its receiver, whose buffer grows as needed. */
bool client_reply_fill(const struct icp_allocator *allocator, struct icp_reply *reply,
                       const struct client_reply *from);
/* A query of any size as this version knows it, in *read, and its payload, which is made at *reused
 * if that is NULL. NULL with *fault. */
const struct icp_payload *client_query_read(const struct icp_allocator *allocator,
                                            struct icp_payload **reused,
                                            const struct icp_query *query, struct icp_query *read,
                                            struct icp_fault *fault);
/* Lets a score fall back on the default of the options where the fault is not the query's own. */
bool client_score_default(const struct icp_options *options, struct icp_score *score,
                          const struct icp_fault *fault);
/* icp_score_lead until a moment, whatever query->timeout_ms says; 0: what it says. */
bool client_score_until(struct icp_client *client, const struct icp_query *query, int64_t until_ms,
                        struct icp_score *score, struct icp_fault *fault);

#endif
