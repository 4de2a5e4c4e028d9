/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_fill.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench/load/load_account.h"
#include "server/math/random.h"

/* Accounts in one request and requests in flight: a commit then holds thousands. */
enum { BATCH = 1000, IN_FLIGHT = 8, LEARNERS = 5000, LEARNER_FROM = 90000000 };

struct filler {
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
};

static bool failed(const char *what, const struct icp_fault *from, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_IO, from->field, "%s: %s", what, from->message);
}

static bool call(struct filler *filler, enum icp_op op, const char *what, struct proto_fault *fault)
{
    return icp_call_within(filler->client, op, filler->payload, LOOKALIKE_CALL_MS,
                           &filler->reply) ||
           failed(what, &filler->reply.fault, fault);
}

static bool schema_put(struct filler *filler, uint32_t dim, struct proto_fault *fault)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"fields\": [{\"name\": \"v\", \"type\": \"vector\", \"dims\": %u},"
             "{\"name\": \"employees\", \"type\": \"number\", \"transform\": \"log\"},"
             "{\"name\": \"growth\", \"type\": \"number\"},"
             "{\"name\": \"won\", \"type\": \"flag\", \"family\": \"lifecycle\"}]}",
             dim);
    icp_payload_reset(filler->payload);
    icp_payload_text(filler->payload, "document", text);
    return call(filler, ICP_OP_SCHEMA_PUT, "the schema", fault);
}

static void accounts_begin(struct filler *filler)
{
    icp_payload_reset(filler->payload);
    icp_payload_list_begin(filler->payload, "accounts");
}

static bool accounts_send(struct filler *filler, struct proto_fault *fault)
{
    struct icp_fault why;
    icp_payload_list_end(filler->payload);
    icp_payload_text(filler->payload, "source", "bench");
    if (icp_send(filler->client, ICP_OP_ACCOUNT_PUT, filler->payload, &why) == 0 ||
        !icp_flush(filler->client, &why)) {
        return failed("accounts", &why, fault);
    }
    return icp_in_flight(filler->client) < IN_FLIGHT ||
           icp_receive(filler->client, 0, LOOKALIKE_CALL_MS, &filler->reply) ||
           failed("accounts", &filler->reply.fault, fault);
}

static bool accounts_end(struct filler *filler, struct proto_fault *fault)
{
    while (icp_in_flight(filler->client) > 0) {
        if (!icp_receive(filler->client, 0, LOOKALIKE_CALL_MS, &filler->reply)) {
            return failed("accounts", &filler->reply.fault, fault);
        }
    }
    return true;
}

/* Accounts whose outcome depends on two numbers, for an ICP to be learned from. */
static bool learners_put(struct filler *filler, struct proto_fault *fault)
{
    char id[LOAD_ID_BYTES + 1];
    struct math_random random;
    math_random_init(&random, LOAD_SEED);
    for (unsigned at = 0; at < LEARNERS;) {
        accounts_begin(filler);
        for (unsigned i = 0; i < BATCH && at < LEARNERS; i++, at++) {
            double employees = 10 + 990 * math_random_unit(&random);
            double growth = math_random_normal(&random);
            bool won = employees / 1000 + 0.3 * growth + 0.3 * math_random_normal(&random) > 0.6;
            load_account_id(LEARNER_FROM + at, id);
            icp_payload_map_begin(filler->payload, NULL);
            icp_payload_text(filler->payload, "id", id);
            icp_payload_map_begin(filler->payload, "values");
            icp_payload_number(filler->payload, "employees", employees);
            icp_payload_number(filler->payload, "growth", growth);
            icp_payload_flag(filler->payload, "won", won);
            icp_payload_map_end(filler->payload);
            icp_payload_map_end(filler->payload);
        }
        if (!accounts_send(filler, fault)) {
            return false;
        }
    }
    return accounts_end(filler, fault);
}

/* The learners go again: fields that no account has a value of are not part of the vectors. */
static bool learners_delete(struct filler *filler, struct proto_fault *fault)
{
    char id[LOAD_ID_BYTES + 1];
    icp_payload_reset(filler->payload);
    icp_payload_list_begin(filler->payload, "ids");
    for (unsigned at = 0; at < LEARNERS; at++) {
        load_account_id(LEARNER_FROM + at, id);
        icp_payload_text(filler->payload, NULL, id);
    }
    icp_payload_list_end(filler->payload);
    return call(filler, ICP_OP_ACCOUNT_DELETE, "accounts", fault);
}

static bool learn(struct filler *filler, struct proto_fault *fault)
{
    if (!learners_put(filler, fault)) {
        return false;
    }
    icp_payload_reset(filler->payload);
    icp_payload_text(filler->payload, "label", "won = true");
    icp_payload_text(filler->payload, "name", "bench");
    icp_payload_flag(filler->payload, "activate", true);
    return call(filler, ICP_OP_ICP_LEARN, "learning an ICP", fault) &&
           learners_delete(filler, fault);
}

static bool vectors_put(struct filler *filler, const struct lookalike_data *data,
                        struct proto_fault *fault)
{
    char id[LOAD_ID_BYTES + 1];
    for (uint32_t at = 0; at < data->count;) {
        accounts_begin(filler);
        for (unsigned i = 0; i < BATCH && at < data->count; i++, at++) {
            load_account_id(at, id);
            icp_payload_map_begin(filler->payload, NULL);
            icp_payload_text(filler->payload, "id", id);
            icp_payload_map_begin(filler->payload, "values");
            icp_payload_bytes(filler->payload, "v", data->vectors + (size_t)at * data->dim,
                              data->dim * sizeof *data->vectors);
            icp_payload_map_end(filler->payload);
            icp_payload_map_end(filler->payload);
        }
        if (!accounts_send(filler, fault)) {
            return false;
        }
        if (at % 1000000 == 0) {
            fprintf(stderr, "icp-bench-lookalike: %u accounts sent\n", at);
        }
    }
    return accounts_end(filler, fault);
}

/* Whether a job is still to be done: the vectors are stored by one that follows the build. */
static bool jobs_busy(struct filler *filler, bool *busy, struct proto_fault *fault)
{
    struct icp_value jobs;
    struct icp_value job;
    struct icp_value state;
    icp_payload_reset(filler->payload);
    *busy = false;
    if (!call(filler, ICP_OP_JOB_LIST, "the list of jobs", fault)) {
        return false;
    }
    if (icp_reply_get(&filler->reply, "jobs", &jobs)) {
        struct icp_walk walk = icp_walk_over(&jobs);
        while (icp_next(&walk, NULL, &job)) {
            *busy |= icp_value_get(&job, "state", &state) &&
                     (strncmp(state.text.data, "queued", state.text.bytes) == 0 ||
                      strncmp(state.text.data, "running", state.text.bytes) == 0);
        }
    }
    return true;
}

static bool vectors_build(struct filler *filler, struct proto_fault *fault)
{
    struct timespec rest = {0, 100000000};
    bool busy = true;
    icp_payload_reset(filler->payload);
    if (!call(filler, ICP_OP_SIMILAR_BUILD, "building vectors", fault)) {
        return false;
    }
    for (unsigned i = 0; busy && i < LOOKALIKE_CALL_MS / 100; i++) {
        nanosleep(&rest, NULL);
        if (!jobs_busy(filler, &busy, fault)) {
            return false;
        }
    }
    return !busy || proto_fault_set(fault, PROTO_IO, "", "the vectors are not stored in an hour");
}

bool lookalike_fill(struct icp_client *client, const struct lookalike_data *data, bool scored,
                    struct proto_fault *fault)
{
    struct filler filler = {.client = client, .payload = icp_payload_create()};
    bool good = filler.payload != NULL
                    ? schema_put(&filler, data->dim, fault) && (!scored || learn(&filler, fault)) &&
                          vectors_put(&filler, data, fault) && vectors_build(&filler, fault)
                    : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a request");
    icp_payload_destroy(filler.payload);
    icp_reply_fini(&filler.reply);
    return good;
}
