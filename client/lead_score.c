/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring, the hot path: one small payload out, one reply straight into a struct. */
#include <stdlib.h>

#include "client/client.h"

static size_t list_count(const struct proto_arg *arg)
{
    if (!arg->present)
        return 0;
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
        if (!icp_next(&walk, NULL, &entry) || !icp_value_get(&entry, "field", &value))
            return false;
        reasons[i].field = value.text;
        if (!icp_value_get(&entry, "contribution", &value))
            return false;
        reasons[i].contribution = value.integer;
        (void)icp_value_get(&entry, "value", &reasons[i].value);
    }
    return true;
}

static void texts_read(const struct proto_arg *arg, struct icp_text *texts, size_t count)
{
    struct icp_walk walk = arg->present ? list_walk(arg) : (struct icp_walk){0};
    struct icp_value value;
    for (size_t i = 0; i < count && icp_next(&walk, NULL, &value); i++)
        texts[i] = value.text;
}

static bool lists_read(const struct proto_arg *args, struct icp_score *score,
                       struct proto_fault *fault)
{
    size_t reason_count = list_count(&args[PROTO_A_SCORE_REASONS]);
    size_t missing_count = list_count(&args[PROTO_A_SCORE_MISSING]);
    size_t stale_count = list_count(&args[PROTO_A_SCORE_STALE]);
    size_t unknown_count = list_count(&args[PROTO_A_SCORE_UNKNOWN]);
    size_t text_count = missing_count + stale_count + unknown_count;
    score->reasons = NULL;
    score->missing = score->stale = score->unknown = NULL;
    score->reason_count = score->missing_count = score->stale_count = score->unknown_count = 0;
    if (reason_count + text_count == 0)
        return true;
    /* Counts are at most the bytes of the reply, so the sum cannot overflow. */
    size_t reason_bytes = reason_count * sizeof(struct icp_reason);
    void *memory = realloc(score->memory, reason_bytes + text_count * sizeof(struct icp_text));
    if (memory == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the reasons");
    score->memory = memory;
    struct icp_reason *reasons = memory;
    struct icp_text *texts = (struct icp_text *)(reasons + reason_count);
    if (!reasons_read(&args[PROTO_A_SCORE_REASONS], reasons, reason_count))
        return proto_fault_set(fault, PROTO_BAD_REPLY, "reasons",
                               "a reason lacks its field or its contribution");
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

static bool score_read(struct icp_score *score, struct proto_fault *fault)
{
    const struct proto_op_info *info = proto_op_find(PROTO_OP_SCORE);
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_span payload = {score->reply.payload, score->reply.payload_bytes};
    if (!proto_fields_decode(info->reply, info->reply_count, payload, args, fault))
        return false;
    struct proto_span grade = args[PROTO_A_SCORE_GRADE].text;
    if (grade.bytes != 1)
        return proto_fault_set(fault, PROTO_BAD_REPLY, "grade", "a grade is one letter");
    struct proto_span id = args[PROTO_A_SCORE_ID].text;
    score->icp = (uint32_t)args[PROTO_A_SCORE_ICP].uint;
    score->seq = args[PROTO_A_SCORE_SEQ].uint;
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
    return lists_read(args, score, fault);
}

/* The payload of a query; taken from and given back to the client so that it is allocated once. */
static const struct icp_payload *query_payload(struct icp_client *client,
                                               const struct icp_query *query)
{
    if (client->query == NULL)
        client->query = icp_payload_create();
    struct icp_payload *payload = client->query;
    if (payload == NULL)
        return NULL;
    icp_payload_reset(payload);
    if (query->id != NULL)
        icp_payload_text(payload, "id", query->id);
    if (query->key != NULL)
        icp_payload_text(payload, "key", query->key);
    if (query->email != NULL)
        icp_payload_text(payload, "email", query->email);
    if (query->values != NULL)
        icp_payload_map(payload, "values", query->values);
    if (query->icp != 0)
        icp_payload_uint(payload, "icp", query->icp);
    if (query->reasons != 0)
        icp_payload_uint(payload, "reasons", query->reasons);
    return payload;
}

static bool no_memory(struct icp_fault *fault)
{
    struct proto_fault found = {0};
    proto_fault_set(&found, PROTO_NO_MEMORY, "", "no memory for the query");
    client_fault_export(&found, fault);
    return false;
}

/* Turns a received reply, or its failure, into the result of the call. */
static bool score_finish(bool received, struct icp_score *score, struct icp_fault *fault)
{
    struct proto_fault found = {.code = PROTO_OK};
    if (!received) {
        *fault = score->reply.fault;
        return false;
    }
    if (score->reply.op != ICP_OP_SCORE)
        proto_fault_set(&found, PROTO_USAGE, "", "the reply is of another operation than score");
    else if (score_read(score, &found))
        return true;
    client_fault_export(&found, fault);
    return false;
}

bool icp_score_lead(struct icp_client *client, const struct icp_query *query,
                    struct icp_score *score, struct icp_fault *fault)
{
    const struct icp_payload *payload = query_payload(client, query);
    if (payload == NULL)
        return no_memory(fault);
    return score_finish(icp_call(client, ICP_OP_SCORE, payload, &score->reply), score, fault);
}

uint32_t icp_score_send(struct icp_client *client, const struct icp_query *query,
                        struct icp_fault *fault)
{
    const struct icp_payload *payload = query_payload(client, query);
    if (payload == NULL)
        return no_memory(fault);
    return icp_send(client, ICP_OP_SCORE, payload, fault);
}

bool icp_score_receive(struct icp_client *client, uint32_t id, uint32_t timeout_ms,
                       struct icp_score *score, struct icp_fault *fault)
{
    return score_finish(icp_receive(client, id, timeout_ms, &score->reply), score, fault);
}

void icp_score_fini(struct icp_score *score)
{
    icp_reply_fini(&score->reply);
    free(score->memory);
    *score = (struct icp_score){0};
}
