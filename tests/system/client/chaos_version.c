/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts whose outcome follows from their size are stored and learned from; the version's
 * document is kept, and each put has a copy of it with another name in it. At the end the list of
 * versions is read and the names counted. */
#include "tests/system/client/chaos_version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEARNED_ACCOUNTS 800
/* As long as the names that take its place. */
#define PLACEHOLDER "put-0-000000"
#define NAME_BYTES sizeof PLACEHOLDER

static const char schema[] = "{\"fields\":[{\"name\":\"employees\",\"type\":\"number\"},"
                             "{\"name\":\"won\",\"type\":\"flag\",\"family\":\"lifecycle\"}]}";

static void accounts_write(struct icp_payload *payload)
{
    icp_payload_list_begin(payload, "accounts");
    for (unsigned i = 0; i < LEARNED_ACCOUNTS; i++) {
        char id[16];
        unsigned dice = i * 2654435761U >> 8;
        unsigned employees = dice % 500;
        snprintf(id, sizeof id, "a%u", i);
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, "id", id);
        icp_payload_map_begin(payload, "values");
        icp_payload_number(payload, "employees", employees);
        icp_payload_flag(payload, "won", dice / 500 % 100 < (employees > 250 ? 70U : 15U));
        icp_payload_map_end(payload);
        icp_payload_map_end(payload);
    }
    icp_payload_list_end(payload);
}

static bool store_and_learn(struct icp_client *client, struct icp_payload *payload,
                            struct icp_reply *reply)
{
    icp_payload_text(payload, "document", schema);
    if (!icp_call(client, ICP_OP_SCHEMA_PUT, payload, reply)) {
        return false;
    }
    icp_payload_reset(payload);
    accounts_write(payload);
    if (!icp_call(client, ICP_OP_ACCOUNT_PUT, payload, reply)) {
        return false;
    }
    icp_payload_reset(payload);
    icp_payload_text(payload, "label", "won = true");
    icp_payload_text(payload, "name", PLACEHOLDER);
    if (!icp_call(client, ICP_OP_ICP_LEARN, payload, reply)) {
        return false;
    }
    icp_payload_reset(payload);
    icp_payload_int(payload, "icp", 1);
    return icp_call(client, ICP_OP_ICP_GET, payload, reply);
}

char *chaos_version_prepare(struct icp_client *client)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    char *document = NULL;
    if (payload != NULL && store_and_learn(client, payload, &reply)) {
        struct icp_text text = icp_reply_text(&reply, "document");
        document = strndup(text.data, text.bytes);
    }
    if (document == NULL || strstr(document, PLACEHOLDER) == NULL) {
        fprintf(stderr, "no version was learned: %s\n", reply.fault.message);
        free(document);
        document = NULL;
    }
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
    return document;
}

bool chaos_version_write(const char *document, unsigned worker, uint32_t index,
                         struct icp_payload *payload)
{
    char name[NAME_BYTES + 16];
    char *own = strdup(document);
    if (own == NULL) {
        return false;
    }
    snprintf(name, sizeof name, "put-%u-%06u", worker, (unsigned)index);
    memcpy(strstr(own, PLACEHOLDER), name, NAME_BYTES - 1);
    icp_payload_text(payload, "document", own);
    free(own);
    return true;
}

/* One row of the list; false if it is none of a worker's. */
static bool row_read(const struct icp_value *row, unsigned *worker, uint32_t *index,
                     uint32_t *number)
{
    struct icp_value name;
    struct icp_value icp;
    char text[NAME_BYTES + 1];
    if (!icp_value_get(row, "name", &name) || !icp_value_get(row, "icp", &icp) ||
        name.text.bytes != NAME_BYTES - 1 || icp.integer == 1) {
        return false;
    }
    snprintf(text, sizeof text, "%.*s", (int)name.text.bytes, name.text.data);
    *number = (uint32_t)icp.integer;
    return sscanf(text, "put-%u-%u", worker, index) == 2 && *worker < CHAOS_WORKERS_MAX &&
           *index < CHAOS_PUTS_MAX;
}

struct stored {
    uint32_t times;
    uint32_t number; /* of the last */
};

static void puts_judge(const struct chaos_puts *puts, const struct stored *stored,
                       struct chaos_verdict *verdict)
{
    verdict->asked += puts->count;
    for (uint32_t i = 0; i < puts->count; i++) {
        verdict->answered += puts->numbers[i] != 0;
        verdict->stored += stored[i].times > 0;
        verdict->twice += stored[i].times > 1;
        verdict->lost +=
            puts->numbers[i] != 0 && stored[i].times <= 1 && stored[i].number != puts->numbers[i];
    }
}

bool chaos_version_judge(const char *uri, const struct chaos_puts *const puts[CHAOS_WORKERS_MAX],
                         struct chaos_verdict *verdict)
{
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_client *client = icp_connect(uri, NULL, &fault);
    struct icp_value list;
    struct icp_value row;
    struct stored(*stored)[CHAOS_PUTS_MAX] = calloc(CHAOS_WORKERS_MAX, sizeof *stored);
    bool found = client != NULL && stored != NULL &&
                 icp_call(client, ICP_OP_ICP_LIST, NULL, &reply) &&
                 icp_reply_get(&reply, "icps", &list);
    struct icp_walk walk = found ? icp_walk_over(&list) : (struct icp_walk){0};
    while (found && icp_next(&walk, NULL, &row)) {
        unsigned worker;
        uint32_t index;
        uint32_t number;
        if (row_read(&row, &worker, &index, &number)) {
            stored[worker][index].times++;
            stored[worker][index].number = number;
        }
    }
    *verdict = (struct chaos_verdict){0};
    for (size_t i = 0; i < CHAOS_WORKERS_MAX && found; i++) {
        puts_judge(puts[i], stored[i], verdict);
    }
    free(stored);
    icp_reply_fini(&reply);
    icp_close(client);
    return found;
}
