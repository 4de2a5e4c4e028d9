/* SPDX-License-Identifier: Apache-2.0 */
/* icp diff: two documents are read and compared here; who changes grade is asked of the server. */
#include <math.h>

#include "tools/cli/cmd.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/version_diff.h"
#include "tools/cli/what_if_print.h"

/* A version as it was read, with what is made of it. */
struct version {
    uint64_t number;
    json_t *document;
    struct feature_codebook *codebook;
    struct model_scorecard *scorecard;
    struct learn_support *support;
};

static void version_free(struct version *version)
{
    learn_support_destroy(version->support);
    if (version->scorecard != NULL) {
        model_destroy(version->scorecard);
    }
    if (version->codebook != NULL) {
        feature_codebook_destroy(version->codebook);
    }
    json_decref(version->document);
}

/* Parses what the server sent. */
static int version_parse(const struct cli *cli, struct icp_text text,
                         const struct feature_schema *schema, struct version *version)
{
    struct proto_fault fault = {.code = PROTO_OK};
    version->document = json_loadb(text.data, text.bytes, 0, NULL);
    version->codebook =
        feature_codebook_from_json(json_object_get(version->document, "codebook"), schema, &fault);
    if (version->codebook != NULL) {
        version->scorecard = model_from_json(json_object_get(version->document, "scorecard"),
                                             version->codebook, &fault);
    }
    const json_t *counts =
        json_object_get(json_object_get(version->document, "evidence"), "support");
    bool ok = version->scorecard != NULL;
    if (ok && counts != NULL) {
        version->support = learn_support_parse(counts, version->scorecard, 0, 0, &fault);
        ok = version->support != NULL;
    }
    return ok ? EX_OK : cli_fault(cli, &fault);
}

/* number 0: the active one. */
static int version_read(const struct cli *cli, struct icp_client *client,
                        const struct feature_schema *schema, struct version *version)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "icp", version->number);
    int status = cli_call(cli, client, ICP_OP_ICP_GET, payload, &reply);
    if (status == EX_OK) {
        version->number = (uint64_t)icp_reply_int(&reply, "icp", 0);
        status = version_parse(cli, icp_reply_text(&reply, "document"), schema, version);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

static void texts_print(const struct cli *cli, const json_t *diff, const char *name)
{
    const json_t *pair = json_object_get(diff, name);
    if (pair != NULL) {
        cli_print(cli, "%s: %s; before: %s\n", name, json_string_value(json_array_get(pair, 1)),
                  json_string_value(json_array_get(pair, 0)));
    }
}

static void points_cell(struct out_table *table, const json_t *value)
{
    if (json_is_number(value)) {
        out_cell_number(table, "%.1f", json_number_value(value));
    } else {
        out_cell_text(table, "not used");
    }
}

static int figures_print(const struct cli *cli, const json_t *diff, const char *const *headers)
{
    struct out_table table;
    size_t index;
    json_t *row;
    out_table_init(&table, headers, 3);
    json_array_foreach(json_object_get(diff, "figures"), index, row)
    {
        double a = json_number_value(json_object_get(row, "a"));
        double b = json_number_value(json_object_get(row, "b"));
        bool whole = a == floor(a) && b == floor(b) && (fabs(a) > 1 || fabs(b) > 1);
        out_cell_text(&table, "%s", text_at(row, "figure"));
        out_cell_number(&table, whole ? "%.0f" : "%.4f", a);
        out_cell_number(&table, whole ? "%.0f" : "%.4f", b);
    }
    return cli_table(cli, &table);
}

static int fields_print(const struct cli *cli, const json_t *diff, const char *const *headers)
{
    struct out_table table;
    size_t index;
    json_t *row;
    cli_print(cli, "\nmean size of what a field contributes, in points\n");
    out_table_init(&table, headers, 3);
    json_array_foreach(json_object_get(diff, "fields"), index, row)
    {
        out_cell_text(&table, "%s", text_at(row, "field"));
        points_cell(&table, json_object_get(row, "a"));
        points_cell(&table, json_object_get(row, "b"));
    }
    return cli_table(cli, &table);
}

static int bins_print_of(const struct cli *cli, const json_t *field, const char *const *headers)
{
    struct out_table table;
    size_t index;
    json_t *bin;
    cli_print(cli, "\npoints of %s\n", text_at(field, "field"));
    out_table_init(&table, headers, 3);
    json_array_foreach(json_object_get(field, "bins"), index, bin)
    {
        out_cell_text(&table, "%s", text_at(bin, "bin"));
        out_cell_number(&table, "%+.0f",
                        out_signed(json_number_value(json_object_get(bin, "a")), 0));
        out_cell_number(&table, "%+.0f",
                        out_signed(json_number_value(json_object_get(bin, "b")), 0));
    }
    return cli_table(cli, &table);
}

static int diff_print(const struct cli *cli, const json_t *diff, uint64_t a, uint64_t b)
{
    char before[32];
    char after[32];
    const char *const headers[] = {"", before, after};
    size_t index;
    json_t *field;
    (void)snprintf(before, sizeof before, "version %llu", (unsigned long long)a);
    (void)snprintf(after, sizeof after, "version %llu", (unsigned long long)b);
    cli_print(cli, "\n");
    texts_print(cli, diff, "label");
    texts_print(cli, diff, "where");
    int status = figures_print(cli, diff, headers);
    if (status == EX_OK) {
        status = fields_print(cli, diff, headers);
    }
    json_array_foreach(json_object_get(diff, "bins"), index, field)
    {
        if (status == EX_OK) {
            status = bins_print_of(cli, field, headers);
        }
    }
    return status;
}

/* Who changes grade, first: it is what people ask. */
static int grades_print(const struct cli *cli, struct icp_client *client, uint64_t a, uint64_t b)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    icp_payload_uint(payload, "icp", b);
    icp_payload_uint(payload, "against", a);
    icp_payload_uint(payload, "limit", 0);
    if (cli_has(cli, CLI_DIFF_BY)) {
        icp_payload_text(payload, "by", cli_text(cli, CLI_DIFF_BY));
    }
    int status = cli_call(cli, client, ICP_OP_ICP_WHAT_IF, payload, &reply);
    if (status == EX_OK) {
        status = what_if_print(cli, &reply);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static int versions_compare(const struct cli *cli, struct icp_client *client,
                            const struct version *a, const struct version *b, size_t fields)
{
    struct version_side sides[2] = {{a->document, a->codebook, a->scorecard, a->support},
                                    {b->document, b->codebook, b->scorecard, b->support}};
    json_t *diff = version_diff(&sides[0], &sides[1], fields);
    if (diff == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    if (cli->style.form == OUT_JSON) {
        return cli_json(cli, diff);
    }
    int status = grades_print(cli, client, a->number, b->number);
    if (status == EX_OK) {
        status = diff_print(cli, diff, a->number, b->number);
    }
    json_decref(diff);
    return status;
}

int cmd_diff(struct cli *cli)
{
    uint64_t fields;
    struct version a = {0};
    struct version b = {0};
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 2) ||
        !cli_number(cli, CLI_DIFF_FIELDS, 0, PROTO_FIELDS_MAX, 5, &fields) ||
        !cli_version_argument(cli, cli->arguments[0], &a.number) ||
        (cli->argument_count == 2 && !cli_version_argument(cli, cli->arguments[1], &b.number))) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    struct feature_schema *schema = schema_from_server(cli, client, &status);
    if (schema != NULL) {
        status = version_read(cli, client, schema, &a);
    }
    if (status == EX_OK) {
        status = version_read(cli, client, schema, &b);
    }
    if (status == EX_OK) {
        status = versions_compare(cli, client, &a, &b, (size_t)fields);
    }
    version_free(&a);
    version_free(&b);
    feature_schema_release(schema);
    icp_close(client);
    return status;
}
