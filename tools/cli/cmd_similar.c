/* SPDX-License-Identifier: Apache-2.0 */
/* icp similar, recall: accounts like some examples, with what they share, and how well approximate
 * search does on this base. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/label.h"
#include "tools/cli/lead_set.h"
#include "tools/cli/member.h"

#define BUILD_MS (3600 * 1000) /* a build of a large base takes minutes, not an hour */
#define WHY_BYTES 1024

static int values_fill(const struct cli *cli, struct icp_payload *payload)
{
    icp_payload_map_begin(payload, "values");
    int status = lead_set_fill(cli, payload);
    icp_payload_map_end(payload);
    return status;
}

/* One map {name: text} for each value of a repeated option. */
static size_t examples_add(const struct cli *cli, enum cli_option_id option, const char *name,
                           struct icp_payload *payload)
{
    size_t at = 0;
    size_t count = 0;
    const char *text;
    while ((text = cli_each(cli, option, &at)) != NULL) {
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, name, text);
        icp_payload_map_end(payload);
        count++;
    }
    return count;
}

/* An id, or a key if it has a colon. */
static void negatives_add(const struct cli *cli, struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    icp_payload_list_begin(payload, "negatives");
    while ((text = cli_each(cli, CLI_SIMILAR_NOT, &at)) != NULL) {
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, strchr(text, ':') != NULL ? "key" : "id", text);
        icp_payload_map_end(payload);
    }
    icp_payload_list_end(payload);
}

static void exclusions_add(const struct cli *cli, bool keys, struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    icp_payload_list_begin(payload, keys ? "exclude_keys" : "exclude_ids");
    while ((text = cli_each(cli, CLI_SIMILAR_EXCLUDE, &at)) != NULL) {
        if ((strchr(text, ':') != NULL) == keys) {
            icp_payload_text(payload, NULL, text);
        }
    }
    icp_payload_list_end(payload);
}

static void parents_add(const struct cli *cli, struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    icp_payload_list_begin(payload, "exclude_parents");
    while ((text = cli_each(cli, CLI_SIMILAR_EXCLUDE_PARENT, &at)) != NULL) {
        icp_payload_text(payload, NULL, text);
    }
    icp_payload_list_end(payload);
    if (cli_has(cli, CLI_SIMILAR_EXCLUDE_FAMILY)) {
        icp_payload_flag(payload, "exclude_family", true);
    }
    if (cli_has(cli, CLI_SIMILAR_PARENT_FIELD)) {
        icp_payload_text(payload, "parent_field", cli_text(cli, CLI_SIMILAR_PARENT_FIELD));
    }
}

static void text_add(const struct cli *cli, enum cli_option_id option, const char *name,
                     struct icp_payload *payload)
{
    if (cli_has(cli, option)) {
        icp_payload_text(payload, name, cli_text(cli, option));
    }
}

/* A share such as 0.99; 0 if the option was not given. */
static bool share_read(const struct cli *cli, enum cli_option_id option, double *share)
{
    const char *text = cli_text(cli, option);
    char *end = NULL;
    *share = text == NULL ? 0 : strtod(text, &end);
    if (text == NULL || (*text != '\0' && *end == '\0' && *share > 0 && *share <= 1)) {
        return true;
    }
    cli_say(cli, "--%s: a share above 0 and up to 1 is wanted, such as 0.99, not '%s'",
            cli_options()[option].name, text);
    return false;
}

static int request_fill(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t k = 0;
    uint64_t reasons = 0;
    uint64_t version = 0;
    double recall = 0;
    int status = EX_OK;
    if (!cli_number(cli, CLI_SIMILAR_K, 1, PROTO_SIMILAR_K_MAX, 10, &k) ||
        !cli_number(cli, CLI_SIMILAR_REASONS, 0, PROTO_SIMILAR_SHARED_MAX, 3, &reasons) ||
        !cli_number(cli, CLI_SIMILAR_ICP, 1, UINT32_MAX, 0, &version) ||
        !share_read(cli, CLI_SIMILAR_RECALL, &recall)) {
        return EX_USAGE;
    }
    icp_payload_list_begin(payload, "positives");
    size_t examples = examples_add(cli, CLI_SIMILAR_ID, "id", payload);
    for (size_t i = 0; i < cli->argument_count; i++, examples++) {
        icp_payload_map_begin(payload, NULL);
        icp_payload_text(payload, strchr(cli->arguments[i], ':') != NULL ? "key" : "id",
                         cli->arguments[i]);
        icp_payload_map_end(payload);
    }
    examples += examples_add(cli, CLI_SIMILAR_KEY, "key", payload);
    examples += examples_add(cli, CLI_SIMILAR_EMAIL, "email", payload);
    if (cli_has(cli, CLI_SIMILAR_SET)) {
        icp_payload_map_begin(payload, NULL);
        status = values_fill(cli, payload);
        icp_payload_map_end(payload);
        examples++;
    }
    icp_payload_list_end(payload);
    if (status != EX_OK) {
        return status;
    }
    if (examples == 0 && !cli_has(cli, CLI_SIMILAR_LIKE)) {
        return cli_fail(cli, EX_USAGE,
                        "like whom? Give ids, --key, --email, --set or --like, each as often as "
                        "you want");
    }
    negatives_add(cli, payload);
    exclusions_add(cli, false, payload);
    exclusions_add(cli, true, payload);
    parents_add(cli, payload);
    text_add(cli, CLI_SIMILAR_LIKE, "positives_where", payload);
    text_add(cli, CLI_SIMILAR_UNLIKE, "negatives_where", payload);
    text_add(cli, CLI_SIMILAR_FILTER, "filter", payload);
    icp_payload_uint(payload, "k", k);
    icp_payload_uint(payload, "reasons", reasons);
    icp_payload_flag(payload, "names", true);
    if (version > 0) {
        icp_payload_uint(payload, "icp", version);
    }
    if (recall > 0) {
        icp_payload_number(payload, "recall", recall);
    }
    return EX_OK;
}

/* A text under construction; what does not fit is cut. */
struct why {
    char text[WHY_BYTES];
    size_t bytes;
};

static void why_add(struct why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void why_add(struct why *why, const char *format, ...)
{
    va_list args;
    size_t room = sizeof why->text - why->bytes;
    va_start(args, format);
    int bytes = vsnprintf(why->text + why->bytes, room, format, args);
    va_end(args);
    if (bytes > 0) {
        why->bytes += (size_t)bytes < room ? (size_t)bytes : room - 1;
    }
}

static void why_add_value(struct why *why, const struct icp_value *value)
{
    char text[256];
    why_add(why, "%s",
            value->kind == ICP_KIND_NIL ? "missing" : icp_value_print(value, text, sizeof text));
}

static void shared_print(const struct icp_value *hit, struct why *why)
{
    struct icp_value list;
    struct icp_value one;
    struct icp_value value;
    if (!icp_value_get(hit, "shared", &list)) {
        return;
    }
    struct icp_walk walk = icp_walk_over(&list);
    for (size_t i = 0; icp_next(&walk, NULL, &one); i++) {
        struct icp_text field = member_text(&one, "field");
        why_add(why, "%s%.*s", i > 0 ? ", " : "", (int)field.bytes, field.data);
        if (icp_value_get(&one, "value", &value)) {
            why_add(why, " ");
            why_add_value(why, &value);
        }
    }
}

static void difference_print(const struct icp_value *hit, struct why *why)
{
    struct icp_value difference;
    struct icp_value value;
    struct icp_value example;
    if (!icp_value_get(hit, "difference", &difference) || difference.kind != ICP_KIND_MAP) {
        return;
    }
    struct icp_text field = member_text(&difference, "field");
    why_add(why, "%.*s ", (int)field.bytes, field.data);
    (void)icp_value_get(&difference, "value", &value);
    (void)icp_value_get(&difference, "example_value", &example);
    if (value.kind == ICP_KIND_NIL && example.kind == ICP_KIND_NIL) { /* vectors are not shown */
        why_add(why, "differs");
        return;
    }
    why_add_value(why, &value);
    why_add(why, ", not ");
    why_add_value(why, &example);
}

static int hits_print(const struct cli *cli, const struct icp_reply *reply)
{
    static const char *const headers[] = {"id",    "name",    "similarity", "fit",
                                          "grade", "example", "shared",     "difference"};
    static const char *const nameless[] = {"id",      "similarity", "fit",       "grade",
                                           "example", "shared",     "difference"};
    struct out_table table;
    struct icp_value results;
    struct icp_value hit;
    struct icp_value value;
    bool scored = icp_reply_int(reply, "icp", 0) > 0;
    (void)icp_reply_get(reply, "results", &results);
    struct icp_walk walk = icp_walk_over(&results);
    bool named = cli_named(&results);
    out_table_init(&table, named ? headers : nameless, named ? 8 : 7);
    while (icp_next(&walk, NULL, &hit)) {
        struct why shared = {.bytes = 0};
        struct why difference = {.bytes = 0};
        out_cell_text_n(&table, member_text(&hit, "id"));
        if (named) {
            out_cell_text_n(&table, member_text(&hit, "name"));
        }
        (void)icp_value_get(&hit, "similarity", &value);
        out_cell_number(&table, "%.4f", value.number);
        value = (struct icp_value){0};
        if (scored && icp_value_get(&hit, "fit", &value)) {
            out_cell_number(&table, "%.1f", value.number);
        } else {
            out_cell_text(&table, "%s", "");
        }
        out_cell_text_n(&table, member_text(&hit, "grade"));
        out_cell_text_n(&table, member_text(&hit, "example"));
        shared_print(&hit, &shared);
        difference_print(&hit, &difference);
        out_cell_text(&table, "%s", shared.text);
        out_cell_text(&table, "%s", difference.text);
    }
    int status = cli_table(cli, &table);
    out_table_fini(&table);
    if (cli->style.form == OUT_TABLE) {
        struct icp_text path = icp_reply_text(reply, "path");
        struct icp_text metric = icp_reply_text(reply, "metric");
        if (icp_reply_flag(reply, "exact", false)) {
            cli_say(cli, "%.*s, exact, by %.*s", (int)metric.bytes, metric.data, (int)path.bytes,
                    path.data);
        } else {
            cli_say(cli, "%.*s, approximate, by %.*s: %.3f of the exact answer is expected",
                    (int)metric.bytes, metric.data, (int)path.bytes, path.data,
                    icp_reply_number(reply, "recall_expected", 0));
        }
    }
    return status;
}

/* An example by its place in the request, as request_fill puts them. */
static const char *example_at(const struct cli *cli, size_t place, const char **kind)
{
    static const struct {
        enum cli_option_id option;
        const char *kind;
    } orders[] = {{CLI_SIMILAR_ID, "id"}, {CLI_SIMILAR_KEY, "key"}, {CLI_SIMILAR_EMAIL, "email"}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        size_t at = 0;
        const char *text;
        *kind = orders[i].kind;
        while ((text = cli_each(cli, orders[i].option, &at)) != NULL) {
            if (place-- == 0) {
                return text;
            }
        }
        if (i == 0 && place < cli->argument_count) {
            *kind = strchr(cli->arguments[place], ':') != NULL ? "key" : "id";
            return cli->arguments[place];
        }
        place -= i == 0 ? cli->argument_count : 0;
    }
    return NULL;
}

/* Says which of the examples no account has. False if the fault is another. */
static bool example_missing(const struct cli *cli, const struct icp_fault *fault)
{
    size_t place = 0;
    const char *kind = "";
    if (fault->code != ICP_NOT_FOUND || sscanf(fault->field, "positives[%zu]", &place) != 1) {
        return false;
    }
    const char *text = example_at(cli, place, &kind);
    if (text != NULL) {
        (void)cli_not_found(cli, kind, text);
    }
    return text != NULL;
}

/* The caret under the expression that the fault speaks of. */
static void caret_show(const struct cli *cli, const struct icp_fault *fault)
{
    static const struct {
        const char *field;
        enum cli_option_id option;
    } expressions[] = {{"filter", CLI_SIMILAR_FILTER},
                       {"positives_where", CLI_SIMILAR_LIKE},
                       {"negatives_where", CLI_SIMILAR_UNLIKE}};
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        if (strcmp(fault->field, expressions[i].field) == 0 &&
            cli_has(cli, expressions[i].option)) {
            label_caret_fault(cli_text(cli, expressions[i].option), fault);
        }
    }
}

static int search_failed(const struct cli *cli, const struct icp_fault *fault)
{
    if (example_missing(cli, fault)) {
        return EX_DATAERR;
    }
    int status = cli_icp_fault(cli, fault);
    caret_show(cli, fault);
    return status;
}

/* FIELD=W of every --weight. */
static int weights_fill(const struct cli *cli, struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    if (!cli_has(cli, CLI_SIMILAR_WEIGHT)) {
        return EX_OK;
    }
    icp_payload_map_begin(payload, "weights");
    while ((text = cli_each(cli, CLI_SIMILAR_WEIGHT, &at)) != NULL) {
        const char *equals = strrchr(text, '=');
        size_t bytes = equals != NULL ? (size_t)(equals - text) : 0;
        char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
        char *end = NULL;
        double weight = equals != NULL ? strtod(equals + 1, &end) : -1;
        if (bytes == 0 || bytes >= sizeof name || end == equals + 1 || *end != '\0' ||
            !(weight >= 0)) {
            return cli_fail(cli, EX_USAGE, "--weight: '%s' is not FIELD=NUMBER, such as city=0.5",
                            text);
        }
        memcpy(name, text, bytes);
        name[bytes] = '\0';
        icp_payload_number(payload, name, weight);
    }
    icp_payload_map_end(payload);
    return EX_OK;
}

static int build_fill(const struct cli *cli, struct icp_payload *payload)
{
    uint64_t dims = 0;
    double share = 0;
    if (!cli_number(cli, CLI_SIMILAR_DIMS, 16, PROTO_SIMILAR_DIMS_MAX, 0, &dims) ||
        !share_read(cli, CLI_SIMILAR_VECTOR_SHARE, &share)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_SIMILAR_ICP_WEIGHTS)) {
        icp_payload_flag(payload, "icp_weights", true);
    }
    if (cli_has(cli, CLI_SIMILAR_DEFAULTS)) {
        icp_payload_flag(payload, "defaults", true);
    }
    if (dims > 0) {
        icp_payload_uint(payload, "dims", dims);
    }
    if (share > 0) {
        icp_payload_number(payload, "vector_share", share);
    }
    text_add(cli, CLI_SIMILAR_METRIC, "metric", payload);
    return weights_fill(cli, payload);
}

static int build(const struct cli *cli, struct icp_client *client)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    int status = build_fill(cli, payload);
    if (status != EX_OK) {
        icp_payload_destroy(payload);
        return status;
    }
    if (!icp_call_within(client, ICP_OP_SIMILAR_BUILD, payload, BUILD_MS, &reply)) {
        status = cli_icp_fault(cli, &reply.fault);
    } else {
        cli_say(cli, "built %lld vectors of %lld numbers",
                (long long)icp_reply_int(&reply, "vectors", 0),
                (long long)icp_reply_int(&reply, "dims", 0));
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

/* What only a build takes would be passed over in silence. */
static bool build_options_fit(const struct cli *cli)
{
    static const enum cli_option_id options[] = {CLI_SIMILAR_ICP_WEIGHTS,  CLI_SIMILAR_METRIC,
                                                 CLI_SIMILAR_VECTOR_SHARE, CLI_SIMILAR_DIMS,
                                                 CLI_SIMILAR_WEIGHT,       CLI_SIMILAR_DEFAULTS};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (cli_has(cli, options[i]) && !cli_has(cli, CLI_SIMILAR_BUILD)) {
            cli_say(cli, "--%s: takes effect with --build", cli_options()[options[i]].name);
            return false;
        }
    }
    return true;
}

int cmd_similar(struct cli *cli)
{
    if (!cli_arguments(cli, 0, 1000) || !build_options_fit(cli)) {
        return EX_USAGE;
    }
    bool only_build = cli_has(cli, CLI_SIMILAR_BUILD) && cli->argument_count == 0 &&
                      !cli_has(cli, CLI_SIMILAR_ID) && !cli_has(cli, CLI_SIMILAR_KEY) &&
                      !cli_has(cli, CLI_SIMILAR_EMAIL) && !cli_has(cli, CLI_SIMILAR_SET) &&
                      !cli_has(cli, CLI_SIMILAR_LIKE);
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    struct icp_client *client = NULL;
    int status = payload == NULL ? cli_fail(cli, EX_OSERR, "no memory")
                 : only_build    ? EX_OK
                                 : request_fill(cli, payload);
    if (status == EX_OK) {
        client = cli_connect(cli, &status);
    }
    if (client != NULL && cli_has(cli, CLI_SIMILAR_BUILD)) {
        status = build(cli, client);
    }
    if (client != NULL && status == EX_OK && !only_build) {
        if (icp_call(client, ICP_OP_SIMILAR, payload, &reply)) {
            status =
                cli->style.form == OUT_JSON ? cli_json_reply(cli, &reply) : hits_print(cli, &reply);
        } else {
            status = search_failed(cli, &reply.fault);
        }
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
    return status;
}

int cmd_recall(struct cli *cli)
{
    uint64_t k = 0;
    uint64_t n = 0;
    uint64_t seed = 0;
    double recall = 0;
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_RECALL_K, 1, PROTO_SIMILAR_K_MAX, 10, &k) ||
        !cli_number(cli, CLI_RECALL_N, 1, PROTO_RECALL_QUERIES_MAX, 100, &n) ||
        !cli_number(cli, CLI_RECALL_SEED, 0, UINT32_MAX, 1, &seed) ||
        !share_read(cli, CLI_RECALL_RECALL, &recall)) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    struct icp_payload *payload = client == NULL ? NULL : icp_payload_create();
    struct icp_reply reply = {0};
    if (client != NULL && payload == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory");
    }
    if (payload != NULL) {
        icp_payload_uint(payload, "k", k);
        icp_payload_uint(payload, "n", n);
        icp_payload_uint(payload, "seed", seed);
        if (recall > 0) {
            icp_payload_number(payload, "recall", recall);
        }
        status = cli_call(cli, client, ICP_OP_RECALL, payload, &reply);
    }
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &reply);
    } else if (status == EX_OK) {
        cli_print(cli,
                  "recall %.4f at k = %lld over %lld queries of %lld vectors in %lld lists\n"
                  "exact %.3f ms, approximate %.3f ms a query\n",
                  icp_reply_number(&reply, "measured", 0), (long long)icp_reply_int(&reply, "k", 0),
                  (long long)icp_reply_int(&reply, "queries", 0),
                  (long long)icp_reply_int(&reply, "vectors", 0),
                  (long long)icp_reply_int(&reply, "lists", 0),
                  icp_reply_number(&reply, "exact_ms", 0),
                  icp_reply_number(&reply, "approximate_ms", 0));
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
    return status;
}
