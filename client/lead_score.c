/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring, the hot path: one small payload out, one reply straight into a struct. */
#include <assert.h>
#include <stddef.h>

#include "client/client.h"

/* Bytes of the structs in version 0.1, which a size of 0 means: these never change again. */
#define QUERY_BYTES_FIRST (offsetof(struct icp_query, timeout_ms) + sizeof(uint32_t))
#define SCORE_BYTES_FIRST (offsetof(struct icp_score, memory) + sizeof(void *))
static_assert(SCORE_BYTES_FIRST == sizeof(struct icp_score),
              "whoever adds a member must not write it for a caller whose size has no room");

static size_t list_count(const struct proto_arg *arg)
{
    if (!arg->present) {
        return 0;
    }
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, arg->value, &fault);
    return proto_read_array(&reader);
}

static struct icp_walk list_walk(const struct proto_arg *arg)
{
    struct icp_value list = {
        .kind = ICP_KIND_LIST, .data = arg->value.data, .bytes = arg->value.bytes};
    return icp_walk_over(&list);
}

static bool reasons_read(const struct proto_arg *arg, struct icp_reason *reasons, size_t count)
{
    struct icp_walk walk = arg->present ? list_walk(arg) : (struct icp_walk){0};
    struct icp_value entry;
    struct icp_value value;
    for (size_t i = 0; i < count; i++) {
        if (!icp_next(&walk, NULL, &entry) || !icp_value_get(&entry, "field", &value)) {
            return false;
        }
        reasons[i].field = value.text;
        if (!icp_value_get(&entry, "contribution", &value)) {
            return false;
        }
        reasons[i].contribution = value.integer;
        (void)icp_value_get(&entry, "value", &reasons[i].value);
    }
    return true;
}

static void texts_read(const struct proto_arg *arg, struct icp_text *texts, size_t count)
{
    struct icp_walk walk = arg->present ? list_walk(arg) : (struct icp_walk){0};
    struct icp_value value;
    for (size_t i = 0; i < count && icp_next(&walk, NULL, &value); i++) {
        texts[i] = value.text;
    }
}

static bool lists_read(const struct icp_allocator *allocator, const struct proto_arg *args,
                       struct icp_score *score, struct proto_fault *fault)
{
    size_t reason_count = list_count(&args[PROTO_A_SCORE_REASONS]);
    size_t missing_count = list_count(&args[PROTO_A_SCORE_MISSING]);
    size_t stale_count = list_count(&args[PROTO_A_SCORE_STALE]);
    size_t unknown_count = list_count(&args[PROTO_A_SCORE_UNKNOWN]);
    size_t text_count = missing_count + stale_count + unknown_count;
    score->reasons = NULL;
    score->missing = score->stale = score->unknown = NULL;
    score->reason_count = score->missing_count = score->stale_count = score->unknown_count = 0;
    if (reason_count + text_count == 0) {
        return true;
    }
    /* Counts are at most the bytes of the reply, so the sum cannot overflow. */
    size_t reason_bytes = reason_count * sizeof(struct icp_reason);
    void *memory = client_memory_grow(allocator, score->memory,
                                      reason_bytes + text_count * sizeof(struct icp_text));
    if (memory == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the reasons");
    }
    score->memory = memory;
    struct icp_reason *reasons = memory;
    struct icp_text *texts = (struct icp_text *)(reasons + reason_count);
    if (!reasons_read(&args[PROTO_A_SCORE_REASONS], reasons, reason_count)) {
        return proto_fault_set(fault, PROTO_BAD_REPLY, "reasons",
                               "a reason lacks its field or its contribution");
    }
    texts_read(&args[PROTO_A_SCORE_MISSING], texts, missing_count);
    texts_read(&args[PROTO_A_SCORE_STALE], texts + missing_count, stale_count);
    texts_read(&args[PROTO_A_SCORE_UNKNOWN], texts + missing_count + stale_count, unknown_count);
    score->reasons = reasons;
    score->reason_count = reason_count;
    score->missing = texts;
    score->missing_count = missing_count;
    score->stale = texts + missing_count;
    score->stale_count = stale_count;
    score->unknown = texts + missing_count + stale_count;
    score->unknown_count = unknown_count;
    return true;
}

static bool score_read(const struct icp_allocator *allocator, struct icp_score *score,
                       struct proto_fault *fault)
{
    const struct proto_op_info *info = proto_op_find(PROTO_OP_SCORE);
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_span payload = {score->reply.payload, score->reply.payload_bytes};
    if (!proto_fields_decode(info->reply, info->reply_count, payload, args, fault)) {
        return false;
    }
    struct proto_span grade = args[PROTO_A_SCORE_GRADE].text;
    if (grade.bytes != 1) {
        return proto_fault_set(fault, PROTO_BAD_REPLY, "grade", "a grade is one letter");
    }
    struct proto_span id = args[PROTO_A_SCORE_ID].text;
    score->icp = (uint32_t)args[PROTO_A_SCORE_ICP].uint;
    score->seq = args[PROTO_A_SCORE_SEQ].uint;
    score->is_default = false;
    score->found = args[PROTO_A_SCORE_FOUND].flag;
    score->tal = args[PROTO_A_SCORE_TAL].flag;
    score->fit = args[PROTO_A_SCORE_FIT].number;
    score->p = args[PROTO_A_SCORE_P].number;
    score->grade = (char)grade.data[0];
    score->raw = args[PROTO_A_SCORE_RAW].integer;
    score->id = args[PROTO_A_SCORE_ID].present ? (struct icp_text){(const char *)id.data, id.bytes}
                                               : (struct icp_text){"", 0};
    const struct proto_arg *intercept = &args[PROTO_A_SCORE_INTERCEPT];
    const struct proto_arg *rest = &args[PROTO_A_SCORE_REST];
    const struct proto_arg *low = &args[PROTO_A_SCORE_FIT_LOW];
    const struct proto_arg *high = &args[PROTO_A_SCORE_FIT_HIGH];
    score->intercept = intercept->present ? intercept->integer : 0;
    score->rest = rest->present ? rest->integer : 0;
    score->fit_low = low->present ? low->number : score->fit;
    score->fit_high = high->present ? high->number : score->fit;
    return lists_read(allocator, args, score, fault);
}

static void query_write(struct icp_payload *payload, const struct icp_query *query)
{
    icp_payload_reset(payload);
    if (query->id != NULL) {
        icp_payload_text(payload, "id", query->id);
    }
    if (query->key != NULL) {
        icp_payload_text(payload, "key", query->key);
    }
    if (query->email != NULL) {
        icp_payload_text(payload, "email", query->email);
    }
    if (query->values != NULL) {
        icp_payload_map(payload, "values", query->values);
    }
    if (query->icp != 0) {
        icp_payload_uint(payload, "icp", query->icp);
    }
    if (query->reasons != 0) {
        icp_payload_uint(payload, "reasons", query->reasons);
    }
    if (query->seq != 0) {
        icp_payload_uint(payload, "seq", query->seq);
    }
    if (query->known_ms != 0) {
        icp_payload_int(payload, "known", query->known_ms);
    }
    if (query->at_ms != 0) {
        icp_payload_int(payload, "at", query->at_ms);
    }
    if (query->names) {
        icp_payload_flag(payload, "names", true);
    }
    if (query->engagement != NULL) {
        icp_payload_text(payload, "engagement", query->engagement);
    }
}

const struct icp_payload *client_query_read(const struct icp_allocator *allocator,
                                            struct icp_payload **reused,
                                            const struct icp_query *query, struct icp_query *read,
                                            struct icp_fault *fault)
{
    struct proto_fault found = {0};
    if (!client_struct_read(read, sizeof *read, query, query->size, QUERY_BYTES_FIRST)) {
        proto_fault_set(&found, PROTO_USAGE, "query",
                        "the query uses what this libicp does not know; the program was built for "
                        "a newer one");
        client_fault_export(&found, fault);
        return NULL;
    }
    if (*reused == NULL) {
        *reused = icp_payload_create_with(allocator);
    }
    if (*reused == NULL) {
        proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the query");
        client_fault_export(&found, fault);
        return NULL;
    }
    query_write(*reused, read);
    return *reused;
}

/* Turns a received reply, or its failure, into the result of the call. */
static bool score_finish(const struct icp_allocator *allocator, bool received,
                         struct icp_score *score, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    if (!received) {
        *fault = score->reply.fault;
        return false;
    }
    if (score->reply.op != ICP_OP_SCORE) {
        proto_fault_set(&found, PROTO_USAGE, "", "the reply is of another operation than score");
    } else if (score_read(allocator, score, &found)) {
        return true;
    }
    client_fault_export(&found, fault);
    return false;
}

/* Faults of the question, not of who should have answered it: a default score would hide them. */
static bool is_of_the_query(enum icp_error code)
{
    switch (code) {
    case ICP_BAD_PAYLOAD:
    case ICP_BAD_FIELD:
    case ICP_MISSING_FIELD:
    case ICP_DUPLICATE_KEY:
    case ICP_TOO_LARGE:
    case ICP_NOT_FOUND:
    case ICP_DENIED:
    case ICP_USAGE:
        return true;
    default:
        return false;
    }
}

bool client_score_default(const struct icp_options *options, struct icp_score *score,
                          const struct icp_fault *fault)
{
    if (!options->default_score || is_of_the_query(fault->code)) {
        return false;
    }
    struct icp_reply reply = score->reply;
    *score = (struct icp_score){
        .size = score->size,
        .is_default = true,
        .grade = options->default_grade != '\0' ? options->default_grade : 'D',
        .fit = options->default_fit,
        .p = options->default_p,
        .fit_low = options->default_fit,
        .fit_high = options->default_fit,
        .id = {"", 0},
        .reply = reply,
        .memory = score->memory,
    };
    return true;
}

bool client_score_until(struct icp_client *client, const struct icp_query *query, int64_t until_ms,
                        struct icp_score *score, struct icp_fault *fault)
{
    const struct icp_allocator *allocator = &client->core.settings.allocator;
    struct icp_query read;
    const struct icp_payload *payload =
        client_query_read(allocator, &client->query, query, &read, fault);
    if (payload == NULL) {
        return false;
    }
    int64_t left_ms = until_ms - client_now_ms();
    uint32_t timeout_ms = until_ms == 0 ? read.timeout_ms : left_ms < 1 ? 1 : (uint32_t)left_ms;
    bool received = icp_call_within(client, ICP_OP_SCORE, payload, timeout_ms, &score->reply);
    return score_finish(allocator, received, score, fault) ||
           client_score_default(&client->options, score, fault);
}

bool icp_score_lead(struct icp_client *client, const struct icp_query *query,
                    struct icp_score *score, struct icp_fault *fault)
{
    return client_score_until(client, query, 0, score, fault);
}

uint32_t icp_score_send(struct icp_client *client, const struct icp_query *query,
                        struct icp_fault *fault)
{
    struct icp_query read;
    const struct icp_payload *payload =
        client_query_read(&client->core.settings.allocator, &client->query, query, &read, fault);
    if (payload == NULL) {
        return 0;
    }
    return icp_send(client, ICP_OP_SCORE, payload, fault);
}

bool icp_score_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                       struct icp_score *score, struct icp_fault *fault)
{
    bool received = icp_receive(client, id, timeout_ms, &score->reply);
    return score_finish(&client->core.settings.allocator, received, score, fault);
}

bool icp_score_read(const struct icp_reply *reply, struct icp_score *score, struct icp_fault *fault)
{
    const struct client_reply from = {.id = reply->request_id,
                                      .op = (uint8_t)reply->op,
                                      .payload = {reply->payload, reply->payload_bytes}};
    if (reply->fault.code != ICP_OK) {
        score->reply.fault = reply->fault;
    }
    bool received = reply->fault.code == ICP_OK && client_reply_fill(NULL, &score->reply, &from);
    return score_finish(NULL, received, score, fault);
}

void icp_score_fini(struct icp_score *score)
{
    icp_reply_fini(&score->reply);
    client_memory_free(score->memory);
    *score = (struct icp_score){.size = score->size};
}
