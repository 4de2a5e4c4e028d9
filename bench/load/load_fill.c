/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_fill.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/load/load_account.h"
#include "client/icp.h"

/* Accounts in one request, and requests in flight: what waits while a commit is on disk shares the
 * next one, and the more shares it, the fewer pages of the index are written for each account. */
#define BATCH 1000
#define IN_FLIGHT 64
#define CALL_MS 600000

static bool failed(const struct icp_fault *from, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_IO, from->field, "%s", from->message);
}

static void value_put(struct icp_payload *payload, const struct load_field *field,
                      const struct load_value *value)
{
    char text[64];
    switch (field->type) {
    case LOAD_NUMBER:
        icp_payload_number(payload, field->name, value->number);
        break;
    case LOAD_CATEGORY:
        load_category_text(field, value->index, text, sizeof text);
        icp_payload_text(payload, field->name, text);
        break;
    case BENCH_FLAG:
        icp_payload_flag(payload, field->name, value->flag);
        break;
    case LOAD_TAGS:
        icp_payload_list_begin(payload, field->name);
        for (unsigned i = 0; i < field->count; i++) {
            if ((value->tags >> i & 1) == 0) {
                continue;
            }
            load_category_text(field, i, text, sizeof text);
            icp_payload_text(payload, NULL, text);
        }
        icp_payload_list_end(payload);
        break;
    }
}

static void account_put(struct icp_payload *payload, uint64_t seed, uint64_t number)
{
    struct load_value values[LOAD_FIELDS];
    const struct load_field *fields = load_fields();
    char id[LOAD_ID_BYTES + 1];
    char key[8 + LOAD_DOMAIN_BYTES] = "domain:";
    load_account_make(seed, number, values);
    load_account_id(number, id);
    load_account_domain(number, key + 7);
    icp_payload_map_begin(payload, NULL);
    icp_payload_text(payload, "id", id);
    icp_payload_list_begin(payload, "keys");
    icp_payload_text(payload, NULL, key);
    icp_payload_list_end(payload);
    icp_payload_map_begin(payload, "values");
    for (size_t i = 0; i < LOAD_FIELDS; i++) {
        if (!values[i].missing) {
            value_put(payload, &fields[i], &values[i]);
        }
    }
    icp_payload_map_end(payload);
    icp_payload_map_end(payload);
}

struct filler {
    const struct load_fill_options *options;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
};

static bool one_answered(struct filler *filler, struct proto_fault *fault)
{
    return icp_receive(filler->client, 0, CALL_MS, &filler->reply) ||
           failed(&filler->reply.fault, fault);
}

static bool accounts_put(struct filler *filler, uint64_t from, uint64_t to,
                         struct proto_fault *fault)
{
    for (uint64_t number = from; number < to;) {
        struct icp_fault why;
        icp_payload_reset(filler->payload);
        icp_payload_list_begin(filler->payload, "accounts");
        for (unsigned i = 0; i < BATCH && number < to; i++, number++) {
            account_put(filler->payload, filler->options->seed, number);
        }
        icp_payload_list_end(filler->payload);
        icp_payload_text(filler->payload, "source", "bench");
        if (icp_send(filler->client, ICP_OP_ACCOUNT_PUT, filler->payload, &why) == 0 ||
            !icp_flush(filler->client, &why)) {
            return failed(&why, fault);
        }
        if (icp_in_flight(filler->client) >= IN_FLIGHT && !one_answered(filler, fault)) {
            return false;
        }
        if (!filler->options->quiet && number % 100000 == 0) {
            fprintf(stderr, "icp-bench: %llu accounts sent\n", (unsigned long long)number);
        }
    }
    while (icp_in_flight(filler->client) > 0) {
        if (!one_answered(filler, fault)) {
            return false;
        }
    }
    return true;
}

static bool call(struct filler *filler, enum icp_op op, struct proto_fault *fault)
{
    return icp_call_within(filler->client, op, filler->payload, CALL_MS, &filler->reply) ||
           failed(&filler->reply.fault, fault);
}

static bool schema_put(struct filler *filler, struct proto_fault *fault)
{
    char *text = load_schema_text();
    if (text == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the schema");
    }
    icp_payload_reset(filler->payload);
    icp_payload_text(filler->payload, "document", text);
    free(text);
    return call(filler, ICP_OP_SCHEMA_PUT, fault);
}

static bool learn(struct filler *filler, struct proto_fault *fault)
{
    icp_payload_reset(filler->payload);
    icp_payload_text(filler->payload, "label", "won = true");
    icp_payload_text(filler->payload, "name", "bench");
    icp_payload_flag(filler->payload, "activate", true);
    return call(filler, ICP_OP_ICP_LEARN, fault);
}

static bool document_put(struct filler *filler, struct proto_fault *fault)
{
    const char *path = filler->options->icp_path;
    FILE *file = fopen(path, "re");
    char *text = calloc(1, (size_t)PROTO_DOCUMENT_BYTES_MAX + 1);
    bool read = file != NULL && text != NULL;
    if (read) {
        size_t bytes = fread(text, 1, PROTO_DOCUMENT_BYTES_MAX, file);
        icp_payload_reset(filler->payload);
        icp_payload_text_n(filler->payload, "document", (struct icp_text){text, bytes});
    }
    free(text);
    if (file != NULL) {
        fclose(file);
    }
    if (!read) {
        return proto_fault_set(fault, PROTO_IO, "", "%s cannot be read", path);
    }
    if (!call(filler, ICP_OP_ICP_PUT, fault)) {
        return false;
    }
    int64_t version = icp_reply_int(&filler->reply, "icp", 0);
    icp_payload_reset(filler->payload);
    icp_payload_uint(filler->payload, "icp", (uint64_t)version);
    return call(filler, ICP_OP_ICP_ACTIVATE, fault);
}

static bool fill(struct filler *filler, struct proto_fault *fault)
{
    const struct load_fill_options *options = filler->options;
    uint64_t first = options->learn_from > 0 ? options->learn_from : 20000;
    first = first < options->accounts ? first : options->accounts;
    return schema_put(filler, fault) && accounts_put(filler, 0, first, fault) &&
           (options->icp_path != NULL ? document_put(filler, fault) : learn(filler, fault)) &&
           accounts_put(filler, first, options->accounts, fault);
}

bool load_fill(const struct load_fill_options *options, struct proto_fault *fault)
{
    struct icp_fault why;
    struct filler filler = {.options = options};
    const struct icp_options client = {.name = "icp-bench fill", .call_timeout_ms = CALL_MS};
    filler.client = icp_connect(options->uri, &client, &why);
    if (filler.client == NULL) {
        return failed(&why, fault);
    }
    filler.payload = icp_payload_create();
    bool ok = filler.payload != NULL
                  ? fill(&filler, fault)
                  : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a request");
    icp_payload_destroy(filler.payload);
    icp_reply_fini(&filler.reply);
    icp_close(filler.client);
    return ok;
}
