/* SPDX-License-Identifier: Apache-2.0 */
/* libicp: the client of icpd, for programs that ask for a score while a lead waits.
 *
 *     struct icp_fault fault;
 *     struct icp_client *client = icp_connect("icp://127.0.0.1:4273", NULL, &fault);
 *     struct icp_query query = {.email = "ann@acme.com", .reasons = 3};
 *     struct icp_score score = {0};
 *     if (client != NULL && icp_score_lead(client, &query, &score, &fault))
 *         printf("fit %.0f, grade %c\n", score.fit, score.grade);
 *     icp_score_fini(&score);
 *     icp_close(client);
 *
 * Purpose: blocking calls with a deadline each, and pipelining: many requests in flight on one
 * connection, replies matched by id. For threads: icp_pool.h; for an event loop: icp_async.h.
 * Shapes and units: times are milliseconds; texts are UTF-8; a struct set to zero means defaults.
 * Structs that begin with `size` may grow: set it with ICP_OPTIONS and the like (0 means the
 * members of version 0.1), and programs built against an older header go on working. Ownership:
 * what icp_connect and icp_payload_create return is the caller's, to give back to icp_close and
 * icp_payload_destroy. Arguments are borrowed for the length of the call. Texts and values read
 * from a reply or a score point into it and die with its next use or its _fini. Errors: functions
 * that can fail return false, NULL or 0 and say why in a struct icp_fault. A deadline that passes
 * costs the request, never the connection: a late reply is dropped. A lost connection is opened
 * again by the next call; deadlines hold meanwhile, name look-up included. Threads: no global
 * state. One client belongs to one thread at a time; use a client per thread, or a pool. A host
 * name is looked up by a thread of the library's own, with all signals blocked. Fork: a child may
 * go on using its copy of a client; it lets go of the parent's connection, whose requests in flight
 * fail with ICP_CLOSED there, and opens its own. Nothing is shared after that. Signals: never
 * touches the host's handlers; a closed peer raises no SIGPIPE. Cost: a round trip is one send and
 * one receive; no allocation once the buffers have grown. */
#ifndef ICP_H
#define ICP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ICP_API __attribute__((visibility("default")))

/* The version of this header; icp_version() tells that of the library that runs. Within one MAJOR
 * the library stays binary compatible (client/libicp.abi). */
#define ICP_VERSION_MAJOR 0
#define ICP_VERSION_MINOR 1
#define ICP_VERSION_PATCH 0
#define ICP_VERSION_NUMBER (ICP_VERSION_MAJOR * 10000 + ICP_VERSION_MINOR * 100 + ICP_VERSION_PATCH)

/* What went wrong. Codes below 200 come from the server, the others from this library. */
enum icp_error {
#define X(code, NAME, name, retryable, text) ICP_##NAME = (code),
#include "proto/error.def"
#undef X
};

/* What can be asked. docs/reference/ lists the fields of each request and reply. */
enum icp_op {
#define X(opcode, NAME, name, lane, role, retry, help) ICP_OP_##NAME = (opcode),
#include "proto/op.def"
#undef X
};

/* One failure, for a program and for a person. */
struct icp_fault {
    enum icp_error code;
    bool retryable;    /* the same request may succeed later */
    char field[160];   /* such as "accounts[3].values.employees"; empty if none is at fault */
    char message[512]; /* one sentence: what is wrong and what would be right */
};

/* "not-found" and the like; "internal" for an unknown code. Never NULL. */
ICP_API const char *icp_error_name(enum icp_error code);
/* Version of the library that runs, such as "0.1.0", and the same in the form of
 * ICP_VERSION_NUMBER. */
ICP_API const char *icp_version(void);
ICP_API unsigned icp_version_number(void);

/* A run of bytes that somebody else owns; not ended by a zero. */
struct icp_text {
    const char *data;
    size_t bytes;
};

/* Connections. */

struct icp_client;

/* Where memory comes from. resize is realloc with a context; bytes 0 frees and returns NULL. What
 * it returns must be aligned for any type, and it must outlive every reply and score of the client.
 * Not asked: for looking up host names, which is libc's. */
struct icp_allocator {
    void *(*resize)(void *context, void *memory, size_t bytes);
    void *context;
};

enum icp_log_level { ICP_LOG_DEBUG, ICP_LOG_INFO, ICP_LOG_WARNING };

/* Zero means the default throughout. */
struct icp_options {
    size_t size;                 /* ICP_OPTIONS sets it */
    uint32_t connect_timeout_ms; /* most that a call waits for a connection; 0 = 5,000 */
    uint32_t call_timeout_ms;    /* of each call that names none; 0 = 30,000 */
    const char *name;            /* who calls, for the server's log; NULL = "libicp <version>" */
    const char *token;           /* secret that gives the connection its role; NULL = none */
    bool no_checksum;            /* do not put checksums on requests */
    bool no_retry;           /* send each request once and try each host once, whatever happens */
    bool connect_later;      /* icp_connect succeeds without a server; the first call connects */
    uint32_t in_flight_max;  /* unanswered requests, those given up included; 0 = 65,536 */
    size_t buffer_bytes_max; /* replies that wait to be received; 0 = 64 MiB */
    /* A read that is not answered within hedge_ms is sent to a second connection too (of the next
     * host, if there is one), and the first answer wins. 0 = never. */
    uint32_t hedge_ms;
    uint32_t hedge_percent_max; /* of all calls; 0 = 5, at most 100 */
    /* What icp_score_lead gives, with is_default set, where no server could answer. */
    bool default_score;
    char default_grade; /* 0 = 'D' */
    double default_fit;
    double default_p;
    struct icp_allocator allocator; /* resize NULL = malloc */
    /* Told of connections that come and go, by the thread that uses the client; never of data of
     * accounts. Must not call the client. NULL = nobody. */
    void (*on_log)(void *context, enum icp_log_level level, const char *message);
    void *log_context;
    /* For icps://, files of PEM, read by icp_connect. */
    const char *tls_ca;          /* who signs servers; NULL = whom this machine trusts */
    const char *tls_certificate; /* shown to a server that asks for one; NULL = none */
    const char *tls_key;         /* its key */
    bool no_min_seq;             /* reads do not wait for what this client wrote (icp_token_get) */
};
/* struct icp_options options = {ICP_OPTIONS, .call_timeout_ms = 200}; in C++ before 20:
 * struct icp_options options = icp_options_default(); */
#define ICP_OPTIONS .size = sizeof(struct icp_options)
static inline struct icp_options icp_options_default(void)
{
    struct icp_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/* Connects and introduces itself. URIs: icp://host:port (port 4273 if left out; [::1] for IPv6),
 * icps://host:port (TLS 1.3, port 4275; the server's certificate must be for that host), several
 * hosts with commas between (icp://a:4273,b:4273), icp+unix:/path. Hosts are tried in the order of
 * the URI; one that works is kept until it fails, and then the one after it comes. options may be
 * NULL. NULL with *fault if the URI is wrong or no host can be reached. */
ICP_API struct icp_client *icp_connect(const char *uri, const struct icp_options *options,
                                       struct icp_fault *fault);
/* Drops the connection, answers requests in flight with ICP_CLOSED, and connects anew, now. There
 * is no need to: a call does so by itself. */
ICP_API bool icp_reconnect(struct icp_client *client, struct icp_fault *fault);
/* Closes and frees; NULL is fine. */
ICP_API void icp_close(struct icp_client *client);

/* What the server said of itself when the connection was last opened; the texts are valid until the
 * next call. All empty before the first. */
struct icp_server {
    const char *server; /* name and version */
    const char *role;   /* none, metrics, score, read, write or admin */
    uint64_t protocol;
    uint64_t schema; /* current schema version, 0 if none */
    uint64_t icp;    /* active ICP version, 0 if none */
};
ICP_API const struct icp_server *icp_server_info(const struct icp_client *client);
/* Whether there is a connection, as far as is known without asking. */
ICP_API bool icp_is_connected(const struct icp_client *client);

/* Reading what was written, over several hosts. The client remembers the sequence of its last
 * write. A read that goes over another connection than that write names it (`min_seq`), and is
 * answered once that host has applied it, or ICP_BEHIND, and then another host is asked. Only hosts
 * whose sequences are of the same log are held to it. What one client wrote another one reads with
 * its token. */
struct icp_token {
    uint64_t log;
    uint64_t seq; /* 0: nothing was written */
};
ICP_API struct icp_token icp_token_get(const struct icp_client *client);
/* In place of what the client remembers. */
ICP_API void icp_token_set(struct icp_client *client, struct icp_token token);

/* Requests. */

/* A request's payload: a map, built field by field. Errors are sticky (no memory, a list or map
 * left open, nesting too deep) and are reported by the call that sends it. `key` is the field's
 * name within a map and must be NULL within a list. */
struct icp_payload;
ICP_API struct icp_payload *icp_payload_create(void); /* NULL: no memory */
ICP_API struct icp_payload *icp_payload_create_with(const struct icp_allocator *allocator);
ICP_API void icp_payload_destroy(struct icp_payload *payload);
ICP_API void icp_payload_reset(struct icp_payload *payload); /* empty again, keeps its memory */
ICP_API void icp_payload_nil(struct icp_payload *payload, const char *key);
ICP_API void icp_payload_flag(struct icp_payload *payload, const char *key, bool value);
ICP_API void icp_payload_int(struct icp_payload *payload, const char *key, int64_t value);
ICP_API void icp_payload_uint(struct icp_payload *payload, const char *key, uint64_t value);
ICP_API void icp_payload_number(struct icp_payload *payload, const char *key, double value);
ICP_API void icp_payload_text(struct icp_payload *payload, const char *key, const char *value);
ICP_API void icp_payload_text_n(struct icp_payload *payload, const char *key,
                                struct icp_text value);
ICP_API void icp_payload_bytes(struct icp_payload *payload, const char *key, const void *data,
                               size_t bytes);
/* The fields of another payload as a map. */
ICP_API void icp_payload_map(struct icp_payload *payload, const char *key,
                             const struct icp_payload *map);
ICP_API void icp_payload_map_begin(struct icp_payload *payload, const char *key);
ICP_API void icp_payload_map_end(struct icp_payload *payload);
ICP_API void icp_payload_list_begin(struct icp_payload *payload, const char *key);
ICP_API void icp_payload_list_end(struct icp_payload *payload);
/* Elements at the level that is open, and encoded bytes so far. */
ICP_API size_t icp_payload_count(const struct icp_payload *payload);
ICP_API size_t icp_payload_size(const struct icp_payload *payload);

/* Replies. */

/* One reply. Set it to zero before its first use, use it again for call after call, and give it to
 * icp_reply_fini at the end. */
struct icp_reply {
    uint32_t request_id;
    enum icp_op op;
    bool more;              /* a progress frame: more of this reply follows */
    struct icp_fault fault; /* code ICP_OK if the request succeeded */
    const uint8_t *payload; /* one MessagePack map, checked against the operation's fields */
    size_t payload_bytes;
    uint8_t *buffer; /* the library's */
    size_t buffer_bytes;
};
ICP_API void icp_reply_fini(struct icp_reply *reply);

enum icp_kind {
    ICP_KIND_NIL,
    ICP_KIND_FLAG,
    ICP_KIND_INT,
    ICP_KIND_NUMBER,
    ICP_KIND_TEXT,
    ICP_KIND_BYTES,
    ICP_KIND_LIST,
    ICP_KIND_MAP,
};

/* One value of a reply; points into it. */
struct icp_value {
    enum icp_kind kind;
    bool flag;
    int64_t integer;      /* ICP_KIND_INT; also set, cut towards zero, for ICP_KIND_NUMBER */
    double number;        /* ICP_KIND_NUMBER and ICP_KIND_INT */
    struct icp_text text; /* ICP_KIND_TEXT and ICP_KIND_BYTES */
    size_t count;         /* elements of a list, pairs of a map */
    const uint8_t *data;  /* the value as MessagePack */
    size_t bytes;
};

/* The field of that name; false if it is absent. */
ICP_API bool icp_reply_get(const struct icp_reply *reply, const char *name,
                           struct icp_value *value);
ICP_API bool icp_value_get(const struct icp_value *map, const char *name, struct icp_value *value);
/* The same with a value to fall back on if the field is absent or of another kind. */
ICP_API int64_t icp_reply_int(const struct icp_reply *reply, const char *name, int64_t fallback);
ICP_API double icp_reply_number(const struct icp_reply *reply, const char *name, double fallback);
ICP_API bool icp_reply_flag(const struct icp_reply *reply, const char *name, bool fallback);
ICP_API struct icp_text icp_reply_text(const struct icp_reply *reply, const char *name);
/* The whole reply as a value, to walk over. */
ICP_API struct icp_value icp_reply_value(const struct icp_reply *reply);

/* Walks a list or map: struct icp_walk walk = icp_walk_over(&value); while (icp_next(&walk, &key,
 * &value)) key may be NULL; it is empty in a list. Any other kind has no elements. */
struct icp_walk {
    const uint8_t *at;
    const uint8_t *end;
    size_t left;
    bool is_map;
};
ICP_API struct icp_walk icp_walk_over(const struct icp_value *value);
ICP_API bool icp_next(struct icp_walk *walk, struct icp_text *key, struct icp_value *value);
/* Writes a value for a person (numbers shortest, lists with ", "), cut to fit, zero-ended. Returns
 * text. */
ICP_API char *icp_value_print(const struct icp_value *value, char *text, size_t text_bytes);

/* Calls. */

/* Sends one request and waits for its reply, which comes or fails by the deadline: timeout_ms from
 * now, 0 = options.call_timeout_ms. payload may be NULL for an empty one. Progress frames are
 * passed over. A request that is safe to repeat (docs/reference/) is sent again after a lost
 * connection, three times in all; so is a write, where the server knows operation ids: each write
 * carries one, `operation`, that the payload gives or the library makes. Returns whether
 * reply->fault.code is ICP_OK. */
ICP_API bool icp_call(struct icp_client *client, enum icp_op op, const struct icp_payload *payload,
                      struct icp_reply *reply);
ICP_API bool icp_call_within(struct icp_client *client, enum icp_op op,
                             const struct icp_payload *payload, uint32_t timeout_ms,
                             struct icp_reply *reply);

/* Pipelining. icp_send queues a request and returns its id, 0 with *fault if it could not; it
 * connects where there is no connection. Requests leave when 64 KiB have gathered, at icp_flush,
 * and whenever a reply is waited for. They are never repeated: when the connection goes, each in
 * flight fails with ICP_CLOSED. */
ICP_API uint32_t icp_send(struct icp_client *client, enum icp_op op,
                          const struct icp_payload *payload, struct icp_fault *fault);
ICP_API bool icp_flush(struct icp_client *client, struct icp_fault *fault);
/* Waits for a reply, or a progress frame, of the request of that id; of any if id is 0. timeout_ms
 * 0 means the client's default. Returns whether a successful reply came; else reply->fault tells,
 * and reply->request_id which request failed: ICP_TIMEOUT leaves the request in flight, so that it
 * can be waited for again, or given up with icp_forget; id 0 with nothing in flight is ICP_USAGE.
 */
ICP_API bool icp_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                         struct icp_reply *reply);
/* Gives a request up: its reply is dropped when it comes. */
ICP_API void icp_forget(struct icp_client *client, uint32_t id);
/* Requests in flight that are still waited for. */
ICP_API size_t icp_in_flight(const struct icp_client *client);

/* One call for each operation: icp_call_PING(client, NULL, &reply) and so on. */
#define X(opcode, NAME, name, lane, role, retry, help)                                             \
    static inline bool icp_call_##NAME(struct icp_client *client,                                  \
                                       const struct icp_payload *payload, struct icp_reply *reply) \
    {                                                                                              \
        return icp_call(client, ICP_OP_##NAME, payload, reply);                                    \
    }
#include "proto/op.def"
#undef X

/* Scoring. */

/* Who to score: a stored account (by id, by any key, by the domain of an email address), values of
 * a lead, or values laid over the stored account. What is NULL or 0 is left out. */
struct icp_query {
    size_t size; /* ICP_QUERY sets it */
    const char *id;
    const char *key; /* such as "domain:acme.com" */
    const char *email;
    const struct icp_payload *values; /* by field name */
    uint32_t icp;                     /* version to score with; 0 = the active one */
    uint32_t reasons;                 /* contributions of each sign to give */
    uint32_t timeout_ms;              /* deadline of icp_score_lead; 0 = options.call_timeout_ms */
    /* Read only where ICP_QUERY is set. The stored account as it was (docs/history.md); 0: now. */
    uint64_t seq;     /* as it was known at this log sequence */
    int64_t known_ms; /* as it was known then, ms since 1970 */
    int64_t at_ms;    /* as it was in truth then, ms since 1970 */
    /* The reply has "name" too, the display name of the account found: icp_reply_text(&score.reply,
     * "name"), empty where it has none, or nobody is found. */
    bool names;
    /* The reply has "engagement" too, what a stored account did lately, by this definition
     * ("usual", or one that the server keeps): icp_reply_get(&score.reply, "engagement", …), a map;
     * NULL: it has not. */
    const char *engagement;
};
#define ICP_QUERY .size = sizeof(struct icp_query)

struct icp_reason {
    struct icp_text field;
    struct icp_value value; /* ICP_KIND_NIL if the account has none */
    int64_t contribution;   /* millionths of a logit */
};

/* Set it to zero before its first use, use it again, and give it to icp_score_fini at the end. */
struct icp_score {
    size_t size;     /* ICP_SCORE sets it */
    uint32_t icp;    /* version that scored */
    uint64_t seq;    /* data watermark of the answer */
    bool found;      /* a stored account was found */
    bool tal;        /* on the target account list */
    bool is_default; /* no server could answer: fit, p and grade are those of the options */
    char grade;      /* A, B, C or D */
    double fit;      /* 0 to 100 */
    double p;        /* calibrated probability */
    int64_t raw;     /* millionths of a logit; intercept + reasons + rest, exactly */
    /* with reasons only */
    int64_t intercept;
    int64_t rest;
    double fit_low; /* fit if each missing field had its worst value, and its best */
    double fit_high;
    struct icp_text id; /* of the account found */
    const struct icp_reason *reasons;
    size_t reason_count;
    const struct icp_text *missing; /* fields without a value */
    size_t missing_count;
    const struct icp_text *stale; /* fields whose value is too old */
    size_t stale_count;
    /* with values: names that the schema does not know, so that they do not count; the first 16 */
    const struct icp_text *unknown;
    size_t unknown_count;
    struct icp_reply reply; /* the library's, with what the texts point into */
    void *memory;
};
#define ICP_SCORE .size = sizeof(struct icp_score)
/* With options.default_score a failure that is not the query's own gives true and the default
 * score, with is_default set and *fault saying what happened. */
ICP_API bool icp_score_lead(struct icp_client *client, const struct icp_query *query,
                            struct icp_score *score, struct icp_fault *fault);
/* The same in two steps, to pipeline. icp_score_receive waits for any reply of icp_score_send (or
 * for the one of that id) and leaves the request's id in score->reply.request_id. */
ICP_API uint32_t icp_score_send(struct icp_client *client, const struct icp_query *query,
                                struct icp_fault *fault);
ICP_API bool icp_score_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                               struct icp_score *score, struct icp_fault *fault);
/* Reads a reply of ICP_OP_SCORE that came another way, such as to a callback of icp_async.h; the
 * score has a copy of it. */
ICP_API bool icp_score_read(const struct icp_reply *reply, struct icp_score *score,
                            struct icp_fault *fault);
ICP_API void icp_score_fini(struct icp_score *score);

#ifdef __cplusplus
}
#endif

#endif
