/* SPDX-License-Identifier: Apache-2.0 */
/* Where fields are cut: at every threshold, at every whole number that is a category, around 0
 * where it counts as missing; and the texts and tags that some feature means. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/feature/span_text.h"
#include "server/foreign/foreign_parts.h"

double foreign_below(double threshold)
{
    float above = (float)threshold;
    float below = nextafterf(above, -(float)INFINITY);
    if (isinf(below)) {
        return -DBL_MAX; /* nothing that is finite as a float lies below */
    }
    double middle = (double)below + ((double)above - (double)below) / 2.0;
    while ((float)middle >= above) { /* halfway goes to the even one of the two */
        middle = nextafter(middle, -(double)INFINITY);
    }
    return middle;
}

static bool room_make(struct foreign_cut *cut, size_t size, void **array)
{
    if (cut->count < cut->room) {
        return true;
    }
    size_t room = cut->room == 0 ? 64 : cut->room * 2;
    void *larger = realloc(*array, room * size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    cut->room = room;
    return true;
}

static bool edge_add(struct foreign_cut *cut, double edge)
{
    void *array = cut->edges;
    bool ok = room_make(cut, sizeof *cut->edges, &array);
    cut->edges = array;
    if (ok) {
        cut->edges[cut->count++] = edge == 0 ? 0 : edge; /* no −0 */
    }
    return ok;
}

static bool text_add(struct foreign_cut *cut, const char *text)
{
    void *array = (void *)cut->texts;
    bool ok = room_make(cut, sizeof *cut->texts, &array);
    cut->texts = array;
    if (ok) {
        cut->texts[cut->count++] = text;
    }
    return ok;
}

/* A category k of the model is a number from k to below k + 1. */
static bool category_edges(const struct foreign_model *model, const struct foreign_node *node,
                           struct foreign_cut *cut)
{
    bool ok =
        edge_add(cut, model->kind == FOREIGN_XGBOOST ? nextafter(0.0, -(double)INFINITY) : -1.0);
    for (uint32_t i = 0; ok && i < node->set_count; i++) {
        double category = (double)model->categories[node->set_first + i];
        ok = (category == 0 || edge_add(cut, nextafter(category, -(double)INFINITY))) &&
             edge_add(cut, nextafter(category + 1, -(double)INFINITY));
    }
    return ok;
}

static bool node_cut(const struct foreign_model *model, const struct foreign_node *node,
                     struct foreign_cut *cut)
{
    if (node->categorical) {
        return category_edges(model, node, cut);
    }
    if (node->missing == FOREIGN_MISSING_ZERO &&
        (!edge_add(cut, nextafter(-1e-35, -(double)INFINITY)) || !edge_add(cut, 1e-35))) {
        return false;
    }
    return edge_add(cut, model->kind == FOREIGN_XGBOOST ? foreign_below(node->threshold)
                                                        : node->threshold);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once, and no more than a column has bins for. */
static bool cut_end(struct foreign_cut *cut, const struct feature_field *field,
                    struct proto_fault *fault)
{
    size_t kept = 0;
    char shown[FEATURE_SHOWN_BYTES];
    bool number = field->type == FEATURE_NUMBER;
    if (cut->count > 0 && number) {
        qsort(cut->edges, cut->count, sizeof *cut->edges, by_number);
    } else if (cut->count > 0) {
        qsort((void *)cut->texts, cut->count, sizeof *cut->texts, by_text);
    }
    for (size_t i = 0; i < cut->count; i++) {
        if (number && (kept == 0 || cut->edges[kept - 1] < cut->edges[i])) {
            cut->edges[kept++] = cut->edges[i];
        } else if (!number && (kept == 0 || strcmp(cut->texts[kept - 1], cut->texts[i]) != 0)) {
            cut->texts[kept++] = cut->texts[i];
        }
    }
    cut->count = kept;
    if (field->type == FEATURE_TAGS || kept <= PROTO_BINS_MAX - 2) {
        return true;
    }
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                           "the model tells %zu %s of \"%s\" apart, a field has at most %d: %s",
                           kept + number, number ? "ranges" : "texts",
                           feature_text_show(proto_span_text(field->name), shown, sizeof shown),
                           PROTO_BINS_MAX - 2 + number,
                           number ? "train it with max_bin=254 (tree_method=hist)"
                                  : "put rare ones together before training");
}

void foreign_cuts_fini(struct foreign_cuts *cuts)
{
    for (size_t i = 0; cuts->fields != NULL && i < cuts->count; i++) {
        free(cuts->fields[i].edges);
        free((void *)cuts->fields[i].texts);
    }
    free(cuts->fields);
    *cuts = (struct foreign_cuts){0};
}

static struct foreign_cut *cut_of(struct foreign_cuts *cuts, const struct feature_schema *schema,
                                  const struct feature_field *field)
{
    return &cuts->fields[field - schema->fields];
}

static bool texts_add(const struct foreign_use *use, struct foreign_cut *cut)
{
    bool ok = use->text == NULL || text_add(cut, use->text);
    for (size_t i = 0; ok && i < use->category_count; i++) {
        ok = text_add(cut, use->categories[i]);
    }
    return ok;
}

bool foreign_cuts_make(const struct foreign_model *model, const struct foreign_use *uses,
                       const struct feature_schema *schema, struct foreign_cuts *cuts,
                       struct proto_fault *fault)
{
    *cuts = (struct foreign_cuts){.fields = calloc(schema->field_count + 1, sizeof *cuts->fields),
                                  .count = schema->field_count};
    bool ok = cuts->fields != NULL;
    for (size_t f = 0; ok && f < model->feature_count; f++) {
        if (uses[f].field != NULL) {
            struct foreign_cut *cut = cut_of(cuts, schema, uses[f].field);
            cut->used = true;
            ok = texts_add(&uses[f], cut);
        }
    }
    for (size_t i = 0; ok && i < model->node_count; i++) {
        const struct foreign_node *node = &model->nodes[i];
        const struct foreign_use *use = node->leaf ? NULL : &uses[node->feature];
        if (use != NULL && use->how == FOREIGN_VALUE && use->field->type == FEATURE_NUMBER) {
            ok = node_cut(model, node, cut_of(cuts, schema, use->field));
        }
    }
    if (!ok) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the model");
    }
    for (size_t i = 0; i < cuts->count; i++) {
        if (!cut_end(&cuts->fields[i], &schema->fields[i], fault)) {
            return false;
        }
    }
    return true;
}

static json_t *column_json(const struct feature_field *field, const char *member, json_t *value)
{
    json_t *column =
        json_pack("{s:s, s:s}", "field", field->name, "type", feature_type_name(field->type));
    if (member != NULL && json_object_set_new(column, member, value) != 0) {
        json_decref(column);
        return NULL;
    }
    return column;
}

static void columns_add(const struct foreign_cut *cut, const struct feature_field *field,
                        json_t **columns)
{
    json_t *list = NULL;
    if (field->type == FEATURE_TAGS) {
        for (size_t i = 0; i < cut->count; i++) {
            feature_json_append(columns, column_json(field, "tag", json_string(cut->texts[i])));
        }
        return;
    }
    if (field->type == FEATURE_NUMBER || field->type == FEATURE_CATEGORY) {
        list = json_array();
        for (size_t i = 0; i < cut->count; i++) {
            feature_json_append(&list, field->type == FEATURE_NUMBER ? json_real(cut->edges[i])
                                                                     : json_string(cut->texts[i]));
        }
    }
    feature_json_append(columns, column_json(field,
                                             field->type == FEATURE_NUMBER     ? "edges"
                                             : field->type == FEATURE_CATEGORY ? "categories"
                                                                               : NULL,
                                             list));
}

json_t *foreign_cuts_codebook(struct foreign_cuts *cuts, const struct feature_schema *schema)
{
    json_t *columns = json_array();
    for (size_t i = 0; i < cuts->count; i++) {
        if (cuts->fields[i].used) {
            cuts->fields[i].column = json_array_size(columns);
            columns_add(&cuts->fields[i], &schema->fields[i], &columns);
        }
    }
    return json_pack("{s:o}", "columns", columns);
}
