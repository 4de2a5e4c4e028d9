/* SPDX-License-Identifier: Apache-2.0 */
/* First the version's own label, then who has an outcome at all, with scores, then which of them
 * have it. An account without a value of anything that the label reads has no outcome, as in
 * learning, unless the label itself speaks of missing values. */
#include "tools/cli/backtest_read.h"

#include <assert.h>
#include <stdlib.h>

#include <jansson.h>

#include "tools/cli/label.h"
#include "tools/cli/member.h"
#include "tools/cli/remote_schema.h"

#define PAGE 10000

void backtest_free(struct backtest_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        free(data->accounts[i].id);
        free(data->accounts[i].value);
    }
    free(data->accounts);
    free(data->label);
    free(data->population);
    *data = (struct backtest_data){0};
}

static int no_memory(const struct cli *cli)
{
    return cli_fail(cli, EX_OSERR, "no memory for the accounts");
}

/* One page more: each() is given the reply. */
struct paging {
    const struct cli *cli;
    struct icp_client *client;
    const char *filter;
    const char *what; /* of the expression, for a message */
    uint64_t icp;
    bool scores;
    const char *by;
    void *context;
    int (*each)(void *context, const struct icp_reply *reply);
};

static void request_put(const struct paging *paging, struct icp_payload *payload, const char *after)
{
    icp_payload_reset(payload);
    icp_payload_text(payload, "filter", paging->filter);
    icp_payload_uint(payload, "limit", PAGE);
    icp_payload_uint(payload, "icp", paging->icp);
    icp_payload_flag(payload, "scores", paging->scores);
    if (after[0] != '\0') {
        icp_payload_text(payload, "after", after);
    }
    if (paging->by != NULL) {
        icp_payload_list_begin(payload, "fields");
        icp_payload_text(payload, NULL, paging->by);
        icp_payload_list_end(payload);
    }
}

static int pages_walk(const struct paging *paging)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    char after[512] = "";
    int status = payload != NULL ? EX_OK : no_memory(paging->cli);
    for (bool more = true; status == EX_OK && more;) {
        request_put(paging, payload, after);
        if (!icp_call(paging->client, ICP_OP_FILTER, payload, &reply)) {
            cli_say(paging->cli, "%s: %s", paging->what, paging->filter);
            status = cli_icp_fault(paging->cli, &reply.fault);
            break;
        }
        status = paging->each(paging->context, &reply);
        struct icp_text next = icp_reply_text(&reply, "next");
        more = next.bytes > 0 && next.bytes < sizeof after;
        (void)snprintf(after, sizeof after, "%.*s", (int)next.bytes, next.data);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

/* Element i of a column of that width; zeros if the column is too short. */
static void column_read(struct icp_text column, size_t i, void *to, size_t width)
{
    memset(to, 0, width);
    if (column.bytes >= (i + 1) * width) {
        memcpy(to, column.data + i * width, width);
    }
}

static bool room_make(struct backtest_data *data)
{
    if (data->count < data->capacity) {
        return true;
    }
    size_t capacity = data->capacity == 0 ? 1024 : 2 * data->capacity;
    struct backtest_account *larger = realloc(data->accounts, capacity * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    data->accounts = larger;
    data->capacity = capacity;
    return true;
}

struct taking {
    const struct cli *cli;
    struct backtest_data *data;
    const char *by;
    bool *meets; /* of taking_meets */
};

/* The scores of place i of a page. */
static void scores_read(const struct icp_reply *reply, size_t i, struct backtest_account *account)
{
    float narrow[2];
    column_read(member_bytes(reply, "fit"), i, &narrow[0], sizeof narrow[0]);
    column_read(member_bytes(reply, "p"), i, &narrow[1], sizeof narrow[1]);
    column_read(member_bytes(reply, "raw"), i, &account->raw, sizeof account->raw);
    column_read(member_bytes(reply, "grade"), i, &account->grade, 1);
    account->fit = (double)narrow[0];
    account->p = (double)narrow[1];
}

static int accounts_take(void *context, const struct icp_reply *reply)
{
    const struct taking *taking = context;
    struct backtest_data *data = taking->data;
    struct icp_value ids;
    struct icp_value values = {.kind = ICP_KIND_NIL};
    struct icp_value id;
    (void)icp_reply_get(reply, "ids", &ids);
    (void)icp_reply_get(reply, "values", &values);
    data->icp = (uint64_t)icp_reply_int(reply, "icp", (int64_t)data->icp);
    struct icp_walk walk = icp_walk_over(&ids);
    struct icp_walk maps = icp_walk_over(&values);
    for (size_t i = 0; icp_next(&walk, NULL, &id); i++) {
        struct icp_value map;
        struct icp_value value;
        char text[PROTO_CATEGORY_BYTES_MAX + 1] = "";
        if (icp_next(&maps, NULL, &map) && taking->by != NULL &&
            icp_value_get(&map, taking->by, &value)) {
            (void)icp_value_print(&value, text, sizeof text);
        }
        if (!room_make(data)) {
            return no_memory(taking->cli);
        }
        struct backtest_account *account = &data->accounts[data->count++];
        *account = (struct backtest_account){.id = strndup(id.text.data, id.text.bytes),
                                             .value = strdup(text)};
        if (account->id == NULL || account->value == NULL) {
            return no_memory(taking->cli);
        }
        scores_read(reply, i, account);
    }
    return EX_OK;
}

static int meets_take(void *context, const struct icp_reply *reply)
{
    const struct taking *taking = context;
    struct backtest_data *data = taking->data;
    struct icp_value ids;
    struct icp_value id;
    (void)icp_reply_get(reply, "ids", &ids);
    struct icp_walk walk = icp_walk_over(&ids);
    while (icp_next(&walk, NULL, &id)) {
        const struct backtest_account *account =
            backtest_find(data->accounts, data->count, id.text.data, id.text.bytes);
        if (account != NULL) {
            taking->meets[account - data->accounts] = true;
        }
    }
    return EX_OK;
}

/* "(a) and (b)"; either may be empty. NULL: no memory. */
static char *both(const char *a, const char *b)
{
    assert(a != NULL && b != NULL);
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (file == NULL) {
        return NULL;
    }
    bool two = a[0] != '\0' && b[0] != '\0';
    fprintf(file, two ? "(%s) and (%s)" : "%s%s", a, b);
    if (fclose(file) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* "`a` is not missing or `b` is not missing", of what the label reads; "" where the label speaks of
 * missing values itself. NULL: no memory. */
static char *known_text(const struct feature_schema *schema, const struct filter *label)
{
    char *text = NULL;
    size_t bytes = 0;
    size_t count = 0;
    FILE *file = open_memstream(&text, &bytes);
    const uint16_t *fields = filter_fields(label, &count);
    for (size_t i = 0; file != NULL && !filter_tells_missing(label) && i < count; i++) {
        const struct feature_field *field = feature_schema_by_id(schema, fields[i]);
        fprintf(file, "%s`", i > 0 ? " or " : "");
        for (const char *at = field != NULL ? field->name : ""; *at != '\0'; at++) {
            fprintf(file, *at == '`' ? "``" : "%c", *at);
        }
        fprintf(file, "` is not missing");
    }
    if (file == NULL || fclose(file) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* The label and where of the version. */
static int version_read(const struct cli *cli, struct icp_client *client,
                        struct backtest_data *data, char **where)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return no_memory(cli);
    }
    icp_payload_uint(payload, "icp", data->icp);
    int status = cli_call(cli, client, ICP_OP_ICP_GET, payload, &reply);
    if (status == EX_OK) {
        struct icp_text text = icp_reply_text(&reply, "document");
        json_t *document = json_loadb(text.data, text.bytes, 0, NULL);
        const json_t *label = json_object_get(document, "label");
        bool policy = json_object_get(label, "policy") != NULL;
        const char *expression = json_string_value(json_object_get(label, "expression"));
        const char *of = json_string_value(json_object_get(label, "where"));
        data->icp = (uint64_t)icp_reply_int(&reply, "icp", 0);
        data->label = strdup(policy || expression == NULL ? "" : expression);
        *where = strdup(policy || of == NULL ? "" : of);
        json_decref(document);
        status = data->label != NULL && *where != NULL ? EX_OK : no_memory(cli);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

/* Who is looked at: the version's population, those of --where, with an outcome. */
static int population_make(const struct cli *cli, struct icp_client *client, const char *own_where,
                           const char *where, struct backtest_data *data)
{
    int status = EX_OK;
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    struct filter *label = schema != NULL ? label_parse(cli, schema, "label", data->label) : NULL;
    char *known = label != NULL ? known_text(schema, label) : NULL;
    char *who = known != NULL ? both(own_where, where) : NULL;
    data->population = who != NULL ? both(who, known) : NULL;
    if (schema != NULL && label == NULL) {
        status = EX_DATAERR;
    } else if (status == EX_OK && data->population == NULL) {
        status = no_memory(cli);
    }
    if (status == EX_OK && data->population != NULL && data->population[0] == '\0') {
        free(data->population);
        data->population = strdup("true");
    }
    free(known);
    free(who);
    filter_destroy(label);
    feature_schema_release(schema);
    return status;
}

static int outcomes_read(const struct cli *cli, struct icp_client *client,
                         struct backtest_data *data)
{
    bool *meets = calloc(data->count + 1, sizeof *meets);
    if (meets == NULL) {
        return no_memory(cli);
    }
    int status = backtest_meets(cli, client, data, "the outcome", data->label, meets);
    for (size_t i = 0; i < data->count; i++) {
        data->accounts[i].outcome = meets[i];
    }
    free(meets);
    return status;
}

int backtest_read(const struct cli *cli, struct icp_client *client, const char *label,
                  const char *where, const char *by, struct backtest_data *data)
{
    char *own_where = NULL;
    int status = version_read(cli, client, data, &own_where);
    if (status == EX_OK && label != NULL) {
        free(data->label);
        data->label = strdup(label);
        status = data->label != NULL ? EX_OK : no_memory(cli);
    }
    if (status == EX_OK && (data->label == NULL || data->label[0] == '\0')) {
        status = cli_fail(cli, EX_USAGE,
                          "the version was learned from a policy: say what the outcome is with "
                          "--label");
    }
    if (status == EX_OK) {
        status = population_make(cli, client, own_where, where != NULL ? where : "", data);
    }
    if (status == EX_OK) {
        struct taking taking = {.cli = cli, .data = data, .by = by};
        struct paging paging = {.cli = cli,
                                .client = client,
                                .filter = data->population,
                                .what = "who is looked at",
                                .icp = data->icp,
                                .scores = true,
                                .by = by,
                                .context = &taking,
                                .each = accounts_take};
        status = pages_walk(&paging);
    }
    if (status == EX_OK) {
        backtest_sort(data->accounts, data->count);
        status = outcomes_read(cli, client, data);
    }
    free(own_where);
    return status;
}

int backtest_meets(const struct cli *cli, struct icp_client *client,
                   const struct backtest_data *data, const char *what, const char *condition,
                   bool *meets)
{
    struct backtest_data borrowed = *data;
    struct taking taking = {.cli = cli, .data = &borrowed, .meets = meets};
    char *filter = both(data->population, condition);
    if (filter == NULL) {
        return no_memory(cli);
    }
    struct paging paging = {.cli = cli,
                            .client = client,
                            .filter = filter,
                            .what = what,
                            .icp = data->icp,
                            .context = &taking,
                            .each = meets_take};
    int status = pages_walk(&paging);
    free(filter);
    return status;
}
