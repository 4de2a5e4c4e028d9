/* SPDX-License-Identifier: Apache-2.0 */
/* icp show: an ICP version as a scorecard for people. Points are hundredths of a logit, so that 100
 * points multiply the odds by e (2.7); they are shown against the average account, which is what
 * the tables are centred on. */
#include <stdlib.h>

#include "server/learn/support.h"
#include "tools/cli/cmd.h"
#include "tools/cli/evidence_text.h"
#include "tools/cli/out/out_number.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/show_bins.h"

struct show {
    const struct cli *cli;
    const json_t *document;
    struct feature_codebook *codebook;
    struct model_scorecard *scorecard;
    struct learn_support *support; /* NULL: the document says nothing of it */
    size_t bins_most;
};

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

static void head_print(const struct show *show, int64_t version, bool active)
{
    const json_t *label = json_object_get(show->document, "label");
    const char *where = text_at(label, "where");
    const char *name = text_at(show->document, "name");
    const struct cli *cli = show->cli;
    cli_print(cli, "ICP version %lld%s%s%s%s, learned %s\n", (long long)version,
              active ? " (active)" : "", name[0] != '\0' ? " '" : "", name,
              name[0] != '\0' ? "'" : "", text_at(show->document, "created"));
    if (text_at(label, "expression")[0] == '\0' && json_object_get(label, "policy") == NULL) {
        cli_print(cli, "outcome: none was named; fit is by %.0f accounts%s%s\n",
                  json_number_value(json_object_get(label, "population")),
                  where[0] != '\0' ? ", where " : "", where);
        return;
    }
    cli_print(cli, "outcome: %s%s%s; %.0f of %.0f accounts had it (%.1f %%)\n",
              text_at(label, "expression"), where[0] != '\0' ? ", where " : "", where,
              json_number_value(json_object_get(label, "positives")),
              json_number_value(json_object_get(label, "population")),
              100 * json_number_value(json_object_get(label, "base_rate")));
}

/* What grades mean. */
static void grades_print(const struct show *show)
{
    const struct model_grades *grades = &show->scorecard->grades;
    cli_print(show->cli,
              "grades: A is better than %g %% of your accounts, B than %g %%, C than %g %%, else "
              "D\n",
              grades->a_min, grades->b_min, grades->c_min);
}

/* What stands behind a cell of the tables. */
static struct show_support support_at(const struct show *show, size_t term, size_t code)
{
    if (show->support == NULL || !show->support->known[term]) {
        return SHOW_SUPPORT_NONE;
    }
    size_t entry = show->scorecard->terms[term].table_offset + code;
    return (struct show_support){show->support->rows[entry], show->support->positives[entry]};
}

/* Terms of one column that belong to a field. */
static void field_print(const struct show *show, const char *name, double importance)
{
    struct show_tag tags[PROTO_COLUMNS_MAX];
    size_t tag_count = 0;
    cli_print(show->cli, "\n%s  (±%.0f points for the average account)\n", name, 100 * importance);
    for (size_t t = 0; t < show->scorecard->term_count; t++) {
        const struct model_term *term = &show->scorecard->terms[t];
        const struct feature_column *column = &show->codebook->columns[term->column_a];
        const int32_t *table = show->scorecard->tables + term->table_offset;
        if (term->column_b != MODEL_NO_COLUMN || strcmp(column->field_name, name) != 0) {
            continue;
        }
        if (column->type != FEATURE_TAGS) {
            bool known = show->support != NULL && show->support->known[t];
            bins_print(&show->cli->style.sink, column, table,
                       known ? show->support->rows + term->table_offset : NULL,
                       known ? show->support->positives + term->table_offset : NULL,
                       show->bins_most);
        } else if (tag_count < PROTO_COLUMNS_MAX) {
            tags[tag_count++] = (struct show_tag){column->tag,
                                                  (double)table[2] / 1e4,
                                                  (double)table[1] / 1e4,
                                                  (double)table[0] / 1e4,
                                                  support_at(show, t, 2),
                                                  support_at(show, t, 1),
                                                  support_at(show, t, 0)};
        }
    }
    tags_print(&show->cli->style.sink, tags, tag_count, show->bins_most);
}

static void pairs_print(const struct show *show)
{
    bool any = false;
    for (size_t t = 0; t < show->scorecard->term_count; t++) {
        const struct model_term *term = &show->scorecard->terms[t];
        if (term->column_b == MODEL_NO_COLUMN) {
            continue;
        }
        int32_t low = 0;
        int32_t high = 0;
        size_t cells = (size_t)term->bins_a * term->bins_b;
        for (size_t i = 0; i < cells; i++) {
            int32_t entry = show->scorecard->tables[term->table_offset + i];
            low = entry < low ? entry : low;
            high = entry > high ? entry : high;
        }
        cli_print(show->cli, "%s  %s × %s: %+.0f to %+.0f points\n",
                  any ? "" : "\npairs of fields\n",
                  show->codebook->columns[term->column_a].field_name,
                  show->codebook->columns[term->column_b].field_name,
                  out_signed((double)low / 1e4, 0), out_signed((double)high / 1e4, 0));
        any = true;
    }
}

/* Trees have no table that could be shown. */
static void trees_print(const struct show *show)
{
    const json_t *settings = json_object_get(show->document, "settings");
    cli_print(show->cli,
              "\nthe model: %zu trees of %s %s (%s); every account starts at %+.0f points\n"
              "what a field adds depends on the others, so its bins have no points of their own:\n"
              "'icp explain ID' says what each adds for one account\n",
              show->scorecard->trees->tree_count, text_at(settings, "trainer"),
              text_at(settings, "version"), text_at(settings, "file"),
              (double)show->scorecard->intercept / 1e4);
}

static int card_print(const struct show *show, const struct icp_reply *reply, size_t most)
{
    const json_t *evidence = json_object_get(show->document, "evidence");
    const json_t *fields = json_object_get(evidence, "fields");
    size_t index;
    json_t *field;
    head_print(show, icp_reply_int(reply, "icp", 0), icp_reply_flag(reply, "active", false));
    const struct cli *cli = show->cli;
    grades_print(show);
    int status = evidence_print(cli, evidence, most);
    if (show->scorecard->trees != NULL) {
        trees_print(show);
        return status;
    }
    cli_print(
        cli,
        "\nthe scorecard: raw score = %+.0f points + the points of each field below (100 points "
        "multiply the odds by 2.7)\n",
        out_signed((double)show->scorecard->intercept / 1e4, 0));
    if (show->support != NULL) {
        bins_head_print(&cli->style.sink);
    }
    json_array_foreach(fields, index, field)
    {
        if (index < most) {
            field_print(show, text_at(field, "field"),
                        json_number_value(json_object_get(field, "importance")));
        }
    }
    if (json_array_size(fields) > most) {
        cli_print(cli, "\n… and %zu more fields\n", json_array_size(fields) - most);
    }
    pairs_print(show);
    return status;
}

/* A whole card is longer than a screen. */
static int card_page(struct show *show, const struct icp_reply *reply, size_t most)
{
    const struct cli *screen = show->cli;
    struct cli memory = *screen;
    char *text = NULL;
    size_t bytes = 0;
    memory.style.page = false;
    memory.style.sink.file = open_memstream(&text, &bytes);
    if (memory.style.sink.file == NULL) {
        return cli_fail(show->cli, EX_OSERR, "no memory");
    }
    show->cli = &memory;
    int status = card_print(show, reply, most);
    show->cli = screen;
    if (fclose(memory.style.sink.file) == 0) {
        out_page(&screen->style.sink, text, bytes);
    }
    free(text);
    return status;
}

/* What stands behind the tables, if the document says it. */
static bool support_read(struct show *show, struct proto_fault *fault)
{
    const json_t *counts = json_object_get(json_object_get(show->document, "evidence"), "support");
    if (counts != NULL) {
        show->support = learn_support_parse(counts, show->scorecard, 0, 0, fault);
    }
    return counts == NULL || show->support != NULL;
}

static int document_show(const struct cli *cli, const struct icp_reply *reply,
                         const struct feature_schema *schema, size_t most, size_t bins)
{
    struct show show = {.cli = cli, .bins_most = bins};
    struct proto_fault fault = {.code = PROTO_OK};
    struct icp_text text = icp_reply_text(reply, "document");
    json_t *document = json_loadb(text.data, text.bytes, 0, NULL);
    int status = EX_OK;
    show.document = document;
    show.codebook =
        feature_codebook_from_json(json_object_get(document, "codebook"), schema, &fault);
    if (show.codebook != NULL) {
        show.scorecard =
            model_from_json(json_object_get(document, "scorecard"), show.codebook, &fault);
    }
    if (show.scorecard == NULL || !support_read(&show, &fault)) {
        status = cli_fault(cli, &fault);
    } else {
        status = card_page(&show, reply, most);
    }
    learn_support_destroy(show.support);
    if (show.scorecard != NULL) {
        model_destroy(show.scorecard);
    }
    if (show.codebook != NULL) {
        feature_codebook_destroy(show.codebook);
    }
    json_decref(document);
    return status;
}

static int show_version(const struct cli *cli, struct icp_client *client, uint64_t version,
                        size_t most, size_t bins)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    struct feature_schema *schema = NULL;
    if (payload == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    if (version > 0) {
        icp_payload_uint(payload, "icp", version);
    }
    int status = cli_call(cli, client, ICP_OP_ICP_GET, payload, &reply);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        struct icp_text text = icp_reply_text(&reply, "document");
        status = cli_json(cli, json_loadb(text.data, text.bytes, 0, NULL));
    } else if (status == EX_OK) {
        schema = schema_from_server(cli, client, &status);
        if (schema != NULL) {
            status = document_show(cli, &reply, schema, most, bins);
        }
    }
    feature_schema_release(schema);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

int cmd_show(struct cli *cli)
{
    uint64_t version = 0;
    uint64_t most = 0;
    uint64_t bins = 0;
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 1) ||
        !cli_number(cli, CLI_SHOW_FIELDS, 1, PROTO_FIELDS_MAX, PROTO_FIELDS_MAX, &most) ||
        !cli_number(cli, CLI_SHOW_BINS, 3, PROTO_BINS_MAX, 12, &bins) ||
        (cli->argument_count == 1 && !cli_version_argument(cli, cli->arguments[0], &version))) {
        return EX_USAGE;
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = show_version(cli, client, version, most, bins);
    icp_close(client);
    return status;
}
