/* SPDX-License-Identifier: Apache-2.0 */
/* The document is read as the server reads it, against the schema in force, and each field of the
 * evidence gets the terms of its columns: a row for each bin, and for tags a row for each tag. */
#include "server/console/console_card.h"

#include <math.h>
#include <string.h>

#include "server/model/scorecard.h"

struct card {
    FILE *out;
    struct feature_schema *schema;
    struct feature_codebook *codebook;
    struct model_scorecard *model;
};

static double points(int32_t entry)
{
    return (double)entry / 1e4;
}

static bool is_of(const struct card *card, const struct model_term *term, const char *field)
{
    return term->column_b == MODEL_NO_COLUMN &&
           strcmp(card->codebook->columns[term->column_a].field_name, field) == 0;
}

/* The largest size of any entry of the field's terms. */
static double strongest(const struct card *card, const char *field)
{
    double most = 0;
    for (size_t t = 0; t < card->model->term_count; t++) {
        const struct model_term *term = &card->model->terms[t];
        for (size_t i = 0; is_of(card, term, field) && i < term->bins_a; i++) {
            most = fmax(most, fabs(points(card->model->tables[term->table_offset + i])));
        }
    }
    return most;
}

static void term_rows(const struct card *card, struct console_table *table,
                      const struct model_term *term, double most)
{
    const struct feature_column *column = &card->codebook->columns[term->column_a];
    for (unsigned i = 0; i < term->bins_a; i++) {
        /* What is missing stands last: it is no place on the scale. */
        unsigned code = i + 1 < term->bins_a ? i + 1 : 0;
        double worth = points(card->model->tables[term->table_offset + code]);
        char text[512];
        feature_bin_text(column, (uint8_t)code, text, sizeof text);
        console_cell(table, text);
        console_cell_number(table, "%+.0f", worth);
        console_cell_bar(table, worth, most);
    }
}

static void field(const struct card *card, const char *name)
{
    static const char *const columns[] = {"value", "#points", "for or against"};
    struct console_table table;
    double most = strongest(card, name);
    (void)fputs("<details><summary>", card->out);
    console_text(card->out, name);
    (void)fprintf(card->out, ", up to %.0f points</summary>\n", most);
    console_table_open(&table, card->out, name, columns, 3);
    for (size_t t = 0; t < card->model->term_count; t++) {
        if (is_of(card, &card->model->terms[t], name)) {
            term_rows(card, &table, &card->model->terms[t], most);
        }
    }
    console_table_close(&table);
    (void)fputs("</details>\n", card->out);
}

static void fields(const struct card *card, const json_t *list)
{
    size_t index;
    json_t *entry;
    console_heading(card->out, "What each value is worth");
    if (card->model->trees != NULL) {
        (void)fprintf(card->out,
                      "<p>This version is a model of %zu trees. An account starts at %+.0f points; "
                      "what a value adds depends on the others, so ask an account for its "
                      "reasons.</p>\n",
                      card->model->trees->tree_count, (double)card->model->intercept / 1e4);
        return;
    }
    (void)fprintf(
        card->out,
        "<p>An account starts at %+.0f points; 100 points multiply the odds by 2.7.</p>\n",
        (double)card->model->intercept / 1e4);
    json_array_foreach(list, index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "field"));
        if (index < CONSOLE_CARD_FIELDS && name != NULL) {
            field(card, name);
        }
    }
}

/* The schema in force; NULL: why was shown, or *fault says it. */
static struct feature_schema *schema_get(struct console_view *view, struct proto_fault *fault)
{
    struct icp_reply reply = {0};
    struct feature_schema *schema = NULL;
    console_question(view->link);
    if (console_ask(view->link, ICP_OP_SCHEMA_GET, &reply)) {
        struct icp_text text = icp_reply_text(&reply, "document");
        schema = feature_schema_parse((struct proto_span){(const uint8_t *)text.data, text.bytes},
                                      0, NULL, fault);
    } else {
        proto_fault_set(fault, (enum proto_error)reply.fault.code, reply.fault.field, "%s",
                        reply.fault.message);
    }
    icp_reply_fini(&reply);
    return schema;
}

static bool card_read(struct console_view *view, const json_t *document, struct card *card,
                      struct proto_fault *fault)
{
    card->schema = schema_get(view, fault);
    if (card->schema == NULL) {
        return false;
    }
    card->codebook =
        feature_codebook_from_json(json_object_get(document, "codebook"), card->schema, fault);
    if (card->codebook == NULL) {
        return false;
    }
    card->model = model_from_json(json_object_get(document, "scorecard"), card->codebook, fault);
    return card->model != NULL;
}

void console_card(struct console_view *view, const json_t *document)
{
    struct card card = {.out = view->out};
    struct proto_fault fault = {.code = PROTO_OK};
    if (card_read(view, document, &card, &fault)) {
        fields(&card, json_object_get(json_object_get(document, "evidence"), "fields"));
    } else {
        struct icp_fault told = {.code = (enum icp_error)fault.code};
        snprintf(told.field, sizeof told.field, "%s", fault.field);
        snprintf(told.message, sizeof told.message, "%s", fault.message);
        console_failed(view, &told);
    }
    model_destroy(card.model);
    if (card.codebook != NULL) {
        feature_codebook_destroy(card.codebook);
    }
    feature_schema_release(card.schema);
}
