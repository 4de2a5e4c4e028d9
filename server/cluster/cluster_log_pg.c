/* SPDX-License-Identifier: Apache-2.0 */
/* Each function is one question. An append is one call of icpd.append with three arrays, written
 * as PostgreSQL reads them in binary; a row that is read back must have the sizes that it should.
 */
#include "server/cluster/cluster_log_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generated/cluster_sql.h"
#include "server/cluster/cluster_link.h"

enum { OID_BYTEA = 17, ARRAY_HEADER_BYTES = 20, READ_BYTES = 32 << 20, TRIM_STEP = 10000 };

struct cluster_log_pg {
    struct cluster_link link;
    uint8_t *arrays; /* of an append */
    size_t room;
};

static void be_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static void be_u64(uint8_t *to, uint64_t value)
{
    be_u32(to, (uint32_t)(value >> 32));
    be_u32(to + 4, (uint32_t)value);
}

static uint64_t be_get(const char *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | (uint8_t)from[i];
    }
    return value;
}

/* A cell that holds a bigint, which is not below 0; false: something else is there. */
static bool number_at(const PGresult *result, int row, int column, uint64_t *number)
{
    bool good = PQgetisnull(result, row, column) == 0 && PQgetlength(result, row, column) == 8;
    *number = good ? be_get(PQgetvalue(result, row, column)) : 0;
    return good && *number <= INT64_MAX;
}

static bool bytes_at(const PGresult *result, int row, int column, uint8_t *to, size_t bytes)
{
    if (PQgetisnull(result, row, column) != 0 ||
        (size_t)PQgetlength(result, row, column) != bytes) {
        return false;
    }
    memcpy(to, PQgetvalue(result, row, column), bytes);
    return true;
}

static bool no_log(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "cluster_log",
                           "what stands in the tables of the shared log is none of icpd's");
}

static bool pg_open(void *context, struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    return cluster_link_open(&pg->link, fault);
}

static void pg_close(void *context)
{
    struct cluster_log_pg *pg = context;
    cluster_link_fini(&pg->link);
    free(pg->arrays);
    free(pg);
}

static bool head_read(const PGresult *result, struct cluster_head *head)
{
    uint64_t version;
    uint64_t head_ms;
    bool good = number_at(result, 0, 0, &version) && version == 1 &&
                number_at(result, 0, 1, &head->head) && number_at(result, 0, 2, &head_ms) &&
                number_at(result, 0, 4, &head->base) && number_at(result, 0, 7, &head->log) &&
                bytes_at(result, 0, 3, head->chain, sizeof head->chain) &&
                bytes_at(result, 0, 5, head->base_chain, sizeof head->base_chain);
    if (!good) {
        return false;
    }
    head->head_ms = (int64_t)head_ms;
    head->has_content = bytes_at(result, 0, 6, head->base_content, sizeof head->base_content);
    return head->log > 0 && head->base <= head->head;
}

static bool pg_look(void *context, struct cluster_head *head, struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    *head = (struct cluster_head){.head = 0};
    PGresult *result = !pg_open(pg, fault)
                           ? NULL
                           : cluster_link_ask(&pg->link,
                                              "SELECT version::bigint, seq, time_ms, chain, base, "
                                              "base_chain, base_content, log FROM icpd.head",
                                              NULL, 0, fault);
    if (result == NULL) {
        return false;
    }
    return (PQntuples(result) == 1 && head_read(result, head)) || no_log(fault);
}

static bool pg_chain(void *context, uint64_t seq, uint8_t chain[CLUSTER_DIGEST_BYTES],
                     struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    uint8_t wanted[8];
    const struct cluster_parameter parameter = {wanted, sizeof wanted};
    be_u64(wanted, seq);
    PGresult *result =
        !pg_open(pg, fault)
            ? NULL
            : cluster_link_ask(&pg->link, "SELECT chain FROM icpd.log WHERE seq = $1::bigint",
                               &parameter, 1, fault);
    if (result == NULL) {
        return false;
    }
    if (PQntuples(result) != 1) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "cluster_log",
                               "entry %llu is not in the shared log", (unsigned long long)seq);
    }
    return bytes_at(result, 0, 0, chain, CLUSTER_DIGEST_BYTES) || no_log(fault);
}

/* One array of bytea, one dimension from 1; `part` picks what of an entry goes into it. */
static size_t array_write(uint8_t *to, const struct cluster_entry *entries, size_t count,
                          struct proto_span (*part)(const struct cluster_entry *entry))
{
    size_t at = ARRAY_HEADER_BYTES;
    be_u32(to, 1);
    be_u32(to + 4, 0);
    be_u32(to + 8, OID_BYTEA);
    be_u32(to + 12, (uint32_t)count);
    be_u32(to + 16, 1);
    for (size_t i = 0; i < count; i++) {
        struct proto_span span = part(&entries[i]);
        be_u32(to + at, (uint32_t)span.bytes);
        if (span.bytes > 0) {
            memcpy(to + at + 4, span.data, span.bytes);
        }
        at += 4 + span.bytes;
    }
    return at;
}

static struct proto_span id_of(const struct cluster_entry *entry)
{
    return (struct proto_span){entry->id, sizeof entry->id};
}

static struct proto_span digest_of(const struct cluster_entry *entry)
{
    return (struct proto_span){entry->digest, sizeof entry->digest};
}

static struct proto_span payload_of(const struct cluster_entry *entry)
{
    return entry->payload;
}

static bool arrays_reserve(struct cluster_log_pg *pg, const struct cluster_entry *entries,
                           size_t count, struct proto_fault *fault)
{
    size_t need = 3 * ARRAY_HEADER_BYTES;
    for (size_t i = 0; i < count; i++) {
        need += 3 * 4 + CLUSTER_ID_BYTES + CLUSTER_DIGEST_BYTES + entries[i].payload.bytes;
    }
    if (need <= pg->room) {
        return true;
    }
    uint8_t *arrays = realloc(pg->arrays, need);
    if (arrays == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to append %zu entries",
                               count);
    }
    pg->arrays = arrays;
    pg->room = need;
    return true;
}

static enum cluster_append pg_append(void *context, const struct cluster_entry *entries,
                                     size_t count, bool again, uint64_t *last,
                                     struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    const uint8_t tries = again;
    if (!arrays_reserve(pg, entries, count, fault) || !pg_open(pg, fault)) {
        return again ? CLUSTER_APPEND_UNKNOWN : CLUSTER_APPEND_NOT_DONE;
    }
    size_t ids = array_write(pg->arrays, entries, count, id_of);
    size_t digests = array_write(pg->arrays + ids, entries, count, digest_of);
    size_t payloads = array_write(pg->arrays + ids + digests, entries, count, payload_of);
    const struct cluster_parameter parameters[] = {
        {pg->link.options.node, strlen(pg->link.options.node)},
        {&tries, sizeof tries},
        {pg->arrays, ids},
        {pg->arrays + ids, digests},
        {pg->arrays + ids + digests, payloads}};
    PGresult *result = cluster_link_ask(
        &pg->link,
        "SELECT icpd.append($1::text, $2::boolean, $3::bytea[], $4::bytea[], $5::bytea[])",
        parameters, 5, fault);
    if (result == NULL) {
        /* A try that did not go through says nothing of the one before it. */
        return again || cluster_link_broken(&pg->link) ? CLUSTER_APPEND_UNKNOWN
                                                       : CLUSTER_APPEND_NOT_DONE;
    }
    /* Whatever it says, it is done; what is not acknowledged is asked of when it is read. */
    (void)number_at(result, 0, 0, last);
    return CLUSTER_APPEND_DONE;
}

static bool row_read(const PGresult *result, int row, struct cluster_logged *logged)
{
    uint64_t time_ms;
    *logged = (struct cluster_logged){.payload = {(const uint8_t *)PQgetvalue(result, row, 5),
                                                  (size_t)PQgetlength(result, row, 5)}};
    if (!number_at(result, row, 0, &logged->seq) || !number_at(result, row, 1, &time_ms)) {
        return false;
    }
    logged->time_ms = (int64_t)time_ms;
    return bytes_at(result, row, 2, logged->id, sizeof logged->id) &&
           bytes_at(result, row, 3, logged->digest, sizeof logged->digest) &&
           bytes_at(result, row, 4, logged->chain, sizeof logged->chain);
}

/* A commit of this session's own, which comes behind all that it has seen: acknowledged, the
 * standby has all of that. Where the postmaster was killed, sessions that wait for the standby give
 * up and their commits can be seen for a moment; but nobody is told that they are done, nor would
 * this. */
static bool durable(struct cluster_log_pg *pg, struct proto_fault *fault)
{
    return cluster_link_ask(&pg->link,
                            "SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' "
                            "THEN pg_logical_emit_message(true, 'icpd', '') END",
                            NULL, 0, fault) != NULL;
}

static bool rows_show(PGresult *result, bool (*each)(void *context, const struct cluster_logged *),
                      void *context, size_t *count, struct proto_fault *fault)
{
    for (int row = 0; row < PQntuples(result); row++) {
        struct cluster_logged logged;
        if (!row_read(result, row, &logged)) {
            return no_log(fault);
        }
        ++*count;
        if (!each(context, &logged)) {
            break;
        }
    }
    return true;
}

/* Beyond the first, as many entries as have READ_BYTES. */
static bool pg_read(void *context, uint64_t after, uint64_t acknowledged, size_t most,
                    bool (*each)(void *each_context, const struct cluster_logged *logged),
                    void *each_context, size_t *count, struct proto_fault *fault)
{
    static const char sql[] =
        "SELECT seq, time_ms, id, digest, chain, payload FROM (SELECT *, sum(octet_length(payload))"
        " OVER (ORDER BY seq) - octet_length(payload) AS before FROM icpd.log"
        " WHERE seq > $1::bigint AND seq <= $1::bigint + $2::bigint) AS e"
        " WHERE before < $3::bigint ORDER BY seq";
    struct cluster_log_pg *pg = context;
    uint8_t numbers[3][8];
    const struct cluster_parameter parameters[] = {
        {numbers[0], 8}, {numbers[1], 8}, {numbers[2], 8}};
    be_u64(numbers[0], after);
    be_u64(numbers[1], most);
    be_u64(numbers[2], READ_BYTES);
    *count = 0;
    PGresult *result =
        !pg_open(pg, fault) ? NULL : cluster_link_ask(&pg->link, sql, parameters, 3, fault);
    if (result == NULL) {
        return false;
    }
    pg->link.result = NULL; /* kept over the next question */
    int rows = PQntuples(result);
    uint64_t last;
    bool known = rows == 0 || (number_at(result, rows - 1, 0, &last) && last <= acknowledged);
    bool good = known || durable(pg, fault);
    good = good && rows_show(result, each, each_context, count, fault);
    PQclear(result);
    return good;
}

static void pg_wait(void *context, int timeout_ms)
{
    struct cluster_log_pg *pg = context;
    cluster_link_wait(&pg->link, timeout_ms);
}

static void pg_poke(void *context)
{
    struct cluster_log_pg *pg = context;
    cluster_link_poke(&pg->link);
}

static bool pg_tell(void *context, const struct cluster_node *node, struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    uint8_t seq[8];
    const struct cluster_parameter parameters[] = {{node->name, strlen(node->name)},
                                                   {seq, sizeof seq},
                                                   {node->state, strlen(node->state)},
                                                   {node->reason, strlen(node->reason)}};
    be_u64(seq, node->seq);
    return pg_open(pg, fault) &&
           cluster_link_ask(&pg->link,
                            "INSERT INTO icpd.node (name, seq, state, reason, seen) VALUES "
                            "($1::text, $2::bigint, $3::text, $4::text, clock_timestamp()) ON "
                            "CONFLICT (name) DO UPDATE SET seq = excluded.seq, state = "
                            "excluded.state, reason = excluded.reason, seen = excluded.seen",
                            parameters, 4, fault) != NULL;
}

static bool votes_read(struct cluster_link *link, const struct cluster_check *check,
                       struct cluster_votes *votes, struct proto_fault *fault)
{
    uint8_t seq[8];
    const struct cluster_parameter parameter = {seq, sizeof seq};
    be_u64(seq, check->seq);
    PGresult *result = cluster_link_ask(
        link, "SELECT node, outcome, content FROM icpd.vote WHERE seq = $1::bigint ORDER BY node",
        &parameter, 1, fault);
    if (result == NULL) {
        return false;
    }
    *votes = (struct cluster_votes){.same = 0};
    for (int row = 0; row < PQntuples(result); row++) {
        uint8_t outcome[CLUSTER_DIGEST_BYTES] = {0};
        uint8_t content[CLUSTER_DIGEST_BYTES] = {0};
        if (bytes_at(result, row, 1, outcome, sizeof outcome) &&
            bytes_at(result, row, 2, content, sizeof content) &&
            memcmp(outcome, check->outcome, sizeof outcome) == 0 &&
            memcmp(content, check->content, sizeof content) == 0) {
            votes->same++;
            continue;
        }
        size_t at = strlen(votes->others);
        (void)snprintf(votes->others + at, sizeof votes->others - at, "%s%.*s",
                       votes->other > 0 ? ", " : "", PQgetlength(result, row, 0),
                       PQgetvalue(result, row, 0));
        votes->other++;
    }
    return true;
}

static bool pg_vote(void *context, const char *node, const struct cluster_check *check,
                    struct cluster_votes *votes, struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    uint8_t seq[8];
    const struct cluster_parameter parameters[] = {{seq, sizeof seq},
                                                   {node, strlen(node)},
                                                   {check->outcome, sizeof check->outcome},
                                                   {check->content, sizeof check->content}};
    be_u64(seq, check->seq);
    return pg_open(pg, fault) &&
           cluster_link_ask(&pg->link,
                            "INSERT INTO icpd.vote VALUES ($1::bigint, $2::text, $3::bytea, "
                            "$4::bytea) ON CONFLICT (seq, node) DO UPDATE SET outcome = "
                            "excluded.outcome, content = excluded.content",
                            parameters, 4, fault) != NULL &&
           votes_read(&pg->link, check, votes, fault);
}

static bool pg_keep(void *context, uint64_t oldest, uint64_t *base, struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    uint8_t numbers[2][8];
    const struct cluster_parameter parameters[] = {{numbers[0], 8}, {numbers[1], 8}};
    be_u64(numbers[0], oldest);
    be_u64(numbers[1], TRIM_STEP);
    PGresult *result = !pg_open(pg, fault)
                           ? NULL
                           : cluster_link_ask(&pg->link, "SELECT icpd.keep($1::bigint, $2::bigint)",
                                              parameters, 2, fault);
    return result != NULL &&
           ((PQntuples(result) == 1 && number_at(result, 0, 0, base)) || no_log(fault));
}

static bool pg_found(void *context, uint64_t base, const uint8_t content[CLUSTER_DIGEST_BYTES],
                     struct proto_fault *fault)
{
    struct cluster_log_pg *pg = context;
    uint8_t seq[8];
    const struct cluster_parameter parameters[] = {{seq, sizeof seq},
                                                   {content, CLUSTER_DIGEST_BYTES}};
    be_u64(seq, base);
    if (!pg_open(pg, fault)) {
        return false;
    }
    PGresult *result = cluster_link_ask(
        &pg->link, "SELECT 1 FROM pg_namespace WHERE nspname = 'icpd'", NULL, 0, fault);
    if (result == NULL) {
        return false;
    }
    if (PQntuples(result) > 0) {
        return proto_fault_set(fault, PROTO_CONFLICT, "cluster_log",
                               "the database has a shared log of icpd already (schema icpd)");
    }
    /* In one transaction; where it does not come to its end nothing of it is there. */
    return cluster_link_run(&pg->link, "BEGIN", fault) &&
           cluster_link_run(&pg->link, (const char *)cluster_sql, fault) &&
           cluster_link_ask(
               &pg->link,
               "INSERT INTO icpd.head (version, seq, time_ms, chain, base, "
               "base_chain, base_content, log) SELECT 1, $1::bigint, 0, c, $1::bigint, "
               "c, $2::bytea, ('x' || substr(encode(c, 'hex'), 1, 15))::bit(60)::bigint "
               "+ 1 FROM substr(sha256(uuid_send(gen_random_uuid())), 1, 16) "
               "AS c",
               parameters, 2, fault) != NULL &&
           cluster_link_run(&pg->link, "COMMIT", fault);
}

bool cluster_log_pg_check(const char *where, struct proto_fault *fault)
{
    return cluster_host_check(where, fault);
}

bool cluster_log_pg_make(const struct cluster_log_options *options, struct cluster_log *log,
                         struct proto_fault *fault)
{
    struct cluster_log_pg *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a shared log");
    }
    if (!cluster_link_init(&pg->link, options, fault)) {
        free(pg);
        return false;
    }
    *log = (struct cluster_log){.context = pg,
                                .close = pg_close,
                                .open = pg_open,
                                .look = pg_look,
                                .chain = pg_chain,
                                .append = pg_append,
                                .read = pg_read,
                                .wait = pg_wait,
                                .poke = pg_poke,
                                .tell = pg_tell,
                                .vote = pg_vote,
                                .keep = pg_keep,
                                .found = pg_found};
    return true;
}
