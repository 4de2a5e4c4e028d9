/* SPDX-License-Identifier: Apache-2.0 */
/* Versions, target account lists and segments are asked for, and each version's document. Filter
 * expressions are parsed against the schema in force; one that reads a field of before does not
 * parse any more and names nothing. */
#include "tools/cli/schema_use.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server/filter/filter.h"

enum { SHOWN = 4 };

struct reading {
    struct schema_use *use;
    const struct cli *cli;
    struct icp_client *client;
    const struct feature_schema *schema;
    struct schema_user user; /* that is being read */
    bool good;               /* there was memory */
};

static void id_add(struct reading *reading, uint16_t id)
{
    struct schema_user *user = &reading->user;
    for (size_t i = 0; i < user->count; i++) {
        if (user->ids[i] == id) {
            return;
        }
    }
    uint16_t *ids = realloc(user->ids, (user->count + 1) * sizeof *ids);
    reading->good = reading->good && ids != NULL;
    if (ids != NULL) {
        user->ids = ids;
        ids[user->count++] = id;
    }
}

static void name_add(struct reading *reading, const char *name)
{
    const struct feature_field *field =
        name == NULL ? NULL : feature_schema_find(reading->schema, proto_span_text(name));
    if (field != NULL) {
        id_add(reading, field->id);
    }
}

static void filter_add(struct reading *reading, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = 0;
    if (text == NULL || text[0] == '\0') {
        return;
    }
    struct filter *filter = filter_parse_scope(reading->schema, FILTER_OF_ACCOUNTS,
                                               proto_span_text(text), &fault, NULL);
    if (filter == NULL) {
        return;
    }
    const uint16_t *ids = filter_fields(filter, &count);
    for (size_t i = 0; i < count; i++) {
        id_add(reading, ids[i]);
    }
    filter_destroy(filter);
}

/* Takes the user that was read, unless it uses nothing. */
static void user_end(struct reading *reading)
{
    struct schema_use *use = reading->use;
    bool wanted = reading->good && reading->user.text != NULL && reading->user.count > 0;
    if (wanted && use->count == use->room) {
        size_t room = use->room * 2 + 16;
        struct schema_user *list = realloc(use->list, room * sizeof *list);
        reading->good = wanted = list != NULL;
        if (list != NULL) {
            use->list = list;
            use->room = room;
        }
    }
    if (wanted) {
        use->list[use->count++] = reading->user;
    } else {
        free(reading->user.text);
        free(reading->user.ids);
    }
    reading->user = (struct schema_user){.text = NULL};
}

static void document_take(struct reading *reading, const json_t *document)
{
    const json_t *evidence = json_object_get(document, "evidence");
    const json_t *label = json_object_get(document, "label");
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(evidence, "fields"), i, field)
    {
        name_add(reading, json_string_value(json_object_get(field, "field")));
    }
    filter_add(reading, json_string_value(json_object_get(label, "expression")));
    filter_add(reading, json_string_value(json_object_get(label, "where")));
}

static void version_read(struct reading *reading, int64_t number, bool active)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL || asprintf(&reading->user.text, "ICP version %" PRId64 "%s", number,
                                    active ? " (active)" : "") < 0) {
        reading->user.text = NULL;
        reading->good = false;
    } else {
        icp_payload_uint(payload, "icp", (uint64_t)number);
        if (icp_call(reading->client, ICP_OP_ICP_GET, payload, &reply)) {
            struct icp_text text = icp_reply_text(&reply, "document");
            json_t *document = json_loadb(text.data, text.bytes, 0, NULL);
            document_take(reading, document);
            json_decref(document);
        } else {
            cli_say(reading->cli, "%s cannot be read, and it may use any field: %s",
                    reading->user.text, reply.fault.message);
        }
        user_end(reading);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
}

static int versions_read(struct reading *reading)
{
    struct icp_reply reply = {0};
    struct icp_value list = {0};
    struct icp_value version;
    int status = cli_call(reading->cli, reading->client, ICP_OP_ICP_LIST, NULL, &reply);
    if (status == EX_OK) {
        (void)icp_reply_get(&reply, "icps", &list);
    }
    struct icp_walk walk = icp_walk_over(&list);
    while (reading->good && icp_next(&walk, NULL, &version)) {
        struct icp_value number = {0};
        struct icp_value active = {0};
        (void)icp_value_get(&version, "icp", &number);
        (void)icp_value_get(&version, "active", &active);
        version_read(reading, number.integer, active.flag);
    }
    icp_reply_fini(&reply);
    return status;
}

/* What the server keeps with a filter under a name: lists and segments. */
static int filters_read(struct reading *reading, enum icp_op op, const char *member,
                        const char *what)
{
    struct icp_reply reply = {0};
    struct icp_value list = {0};
    struct icp_value kept;
    int status = cli_call(reading->cli, reading->client, op, NULL, &reply);
    if (status == EX_OK) {
        (void)icp_reply_get(&reply, member, &list);
    }
    struct icp_walk walk = icp_walk_over(&list);
    while (reading->good && icp_next(&walk, NULL, &kept)) {
        struct icp_value name = {0};
        struct icp_value filter = {0};
        if (!icp_value_get(&kept, "name", &name) || !icp_value_get(&kept, "filter", &filter)) {
            continue; /* damaged */
        }
        char *text = strndup(filter.text.data, filter.text.bytes);
        reading->good = text != NULL && asprintf(&reading->user.text, "%s %.*s", what,
                                                 (int)name.text.bytes, name.text.data) > 0;
        if (reading->good) {
            filter_add(reading, text);
            user_end(reading);
        }
        free(text);
    }
    icp_reply_fini(&reply);
    return status;
}

int schema_use_read(struct schema_use *use, const struct cli *cli, struct icp_client *client,
                    const struct feature_schema *schema)
{
    struct reading reading = {
        .use = use, .cli = cli, .client = client, .schema = schema, .good = true};
    int status = versions_read(&reading);
    if (status == EX_OK) {
        status = filters_read(&reading, ICP_OP_TAL_LIST, "tals", "list");
    }
    if (status == EX_OK) {
        status = filters_read(&reading, ICP_OP_SEGMENT_LIST, "segments", "segment");
    }
    return status == EX_OK && !reading.good
               ? cli_fail(cli, EX_OSERR, "no memory for the uses of the fields")
               : status;
}

static bool uses(const struct schema_user *user, uint16_t id)
{
    for (size_t i = 0; i < user->count; i++) {
        if (user->ids[i] == id) {
            return true;
        }
    }
    return false;
}

char *schema_use_text(const struct schema_use *use, const struct feature_field *field)
{
    char *text = NULL;
    size_t bytes = 0;
    size_t count = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (file == NULL) {
        return NULL;
    }
    /* The newest first: of the segments the last, then of the lists, then the last version. */
    for (size_t i = use->count; i > 0; i--) {
        if (uses(&use->list[i - 1], field->id) && count++ < SHOWN) {
            fprintf(file, "%s%s", count > 1 ? ", " : "", use->list[i - 1].text);
        }
    }
    if (count > SHOWN) {
        fprintf(file, " and %zu more", count - SHOWN);
    }
    return fclose(file) == 0 ? text : NULL;
}

void schema_use_fini(struct schema_use *use)
{
    for (size_t i = 0; i < use->count; i++) {
        free(use->list[i].text);
        free(use->list[i].ids);
    }
    free(use->list);
    *use = (struct schema_use){.count = 0};
}
