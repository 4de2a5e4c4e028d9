/* SPDX-License-Identifier: Apache-2.0 */
/* A forest over the rows: whatever says that two rows are one joins their trees; at the end each
 * tree with two rows or more makes the grouping worth telling. Fields that say who an account is
 * come first, likeness after them. */
#include "server/learn/groups.h"

#include <ctype.h>
#include <stdlib.h>

#include "server/learn/likeness.h"

#define NAMES_MIN 20   /* different values of a field that says who */
#define VALUE_SHARE 20 /* one row in so many: a value that more have says nothing */

struct forest {
    uint32_t *parent;
    size_t joined;
};

/* The first row of the tree; halves the way to it. */
static uint32_t root_of(uint32_t *parent, uint32_t row)
{
    while (parent[row] != row) {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    return row;
}

static void on_pair(void *context, uint32_t a, uint32_t b)
{
    struct forest *forest = context;
    uint32_t x = root_of(forest->parent, a);
    uint32_t y = root_of(forest->parent, b);
    if (x != y) {
        forest->parent[x < y ? y : x] = x < y ? x : y;
        forest->joined++;
    }
}

bool learn_groups_name_says_who(const char *name)
{
    static const char *const names[] = {
#define N(words) words,
#include "server/learn/naming.def"
#undef N
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t at = 0;
        while (name[at] != '\0' && names[i][at] != '\0') {
            bool blank = strchr("_-. ", name[at]) != NULL;
            if ((blank ? ' ' : tolower((unsigned char)name[at])) != names[i][at]) {
                break;
            }
            at++;
        }
        if (name[at] == '\0' && names[i][at] == '\0') {
            return true;
        }
    }
    return false;
}

struct named {
    uint64_t hash;
    uint32_t row;
};

static int named_order(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int by_hash = (x->hash > y->hash) - (x->hash < y->hash);
    return by_hash != 0 ? by_hash : (x->row > y->row) - (x->row < y->row);
}

/* Walks the runs of equal values in sorted rows: counts them, and joins those that may be (rows_max
 * or fewer) if there is a forest. */
static size_t runs_walk(const struct named *named, size_t count, size_t rows_max,
                        struct forest *forest)
{
    size_t runs = 0;
    for (size_t from = 0, end = 0; from < count; from = end) {
        for (end = from; end < count && named[end].hash == named[from].hash; end++)
            ;
        runs++;
        for (size_t i = from + 1; forest != NULL && end - from <= rows_max && i < end; i++) {
            on_pair(forest, named[from].row, named[i].row);
        }
    }
    return runs;
}

/* Joins rows with the same value of a field that says who; *joins tells whether there were any. */
static bool field_join(struct learn_sample *sample, uint16_t field_id, struct named *named,
                       struct forest *forest, bool *joins)
{
    size_t count = 0;
    size_t before = forest->joined;
    size_t rows_max = sample->rows / VALUE_SHARE;
    for (size_t i = 0; i < sample->rows; i++) {
        if (!learn_sample_fetch(sample, i)) {
            return false;
        }
        const struct feature_value *value = &sample->values[field_id];
        if (value->present && value->type != FEATURE_TAGS && value->type != FEATURE_FLAG) {
            named[count++] = (struct named){learn_value_hash(value, 0), (uint32_t)i};
        }
    }
    qsort(named, count, sizeof *named, named_order);
    if (runs_walk(named, count, 0, NULL) >= NAMES_MIN) {
        (void)runs_walk(named, count, rows_max > 2 ? rows_max : 2, forest);
    }
    *joins = forest->joined > before;
    return true;
}

/* Rows that are told to be of one account are, however many there are. */
static void accounts_join(const struct learn_sample *sample, struct named *named,
                          struct forest *forest)
{
    for (size_t i = 0; i < sample->rows; i++) {
        named[i] = (struct named){sample->population->accounts[sample->index[i]], (uint32_t)i};
    }
    qsort(named, sample->rows, sizeof *named, named_order);
    (void)runs_walk(named, sample->rows, SIZE_MAX, forest);
}

static bool names_join(struct learn_sample *sample, struct forest *forest,
                       struct learn_groups *groups)
{
    const struct learn_options *options = sample->options;
    struct named *named = malloc((sample->rows + 1) * sizeof *named);
    bool ok = named != NULL;
    if (ok && sample->population->accounts != NULL) {
        accounts_join(sample, named, forest);
    }
    for (size_t i = 0; ok && i < options->same_field_count + options->field_count; i++) {
        bool told = i < options->same_field_count;
        uint16_t id =
            told ? options->same_field_ids[i] : options->field_ids[i - options->same_field_count];
        const struct feature_field *field = feature_schema_by_id(options->schema, id);
        bool joins = false;
        if (field != NULL && (told || learn_groups_name_says_who(field->name))) {
            ok = field_join(sample, id, named, forest, &joins);
            groups->name = joins && groups->name == NULL ? field->name : groups->name;
        }
    }
    free(named);
    return ok;
}

/* Numbers the trees by their first row. */
static bool groups_number(struct learn_sample *sample, struct forest *forest,
                          struct learn_groups *groups)
{
    uint32_t *sizes = calloc(sample->rows + 1, sizeof *sizes);
    groups->of_row = malloc((sample->rows + 1) * sizeof *groups->of_row);
    if (sizes == NULL || groups->of_row == NULL) {
        free(sizes);
        return false;
    }
    groups->count = 0;
    for (size_t i = 0; i < sample->rows; i++) { /* a root comes before the rest of its tree */
        uint32_t root = root_of(forest->parent, (uint32_t)i);
        groups->of_row[i] = root == i ? (uint32_t)groups->count++ : groups->of_row[root];
        sizes[groups->of_row[i]]++;
    }
    for (size_t g = 0; g < groups->count; g++) {
        groups->rows_repeated += sizes[g] > 1 ? sizes[g] : 0;
        groups->largest = sizes[g] > groups->largest ? sizes[g] : groups->largest;
    }
    free(sizes);
    return true;
}

bool learn_groups_find(struct learn_sample *sample, struct learn_groups *groups,
                       struct proto_fault *fault)
{
    struct learn_likeness likeness;
    struct forest forest = {.parent = malloc((sample->rows + 1) * sizeof *forest.parent)};
    *groups = (struct learn_groups){.count = sample->rows};
    if (!learn_likeness_init(&likeness, sample, fault)) {
        free(forest.parent);
        return false;
    }
    bool ok = forest.parent != NULL;
    for (size_t i = 0; ok && i < sample->rows; i++) {
        forest.parent[i] = (uint32_t)i;
    }
    ok = ok && names_join(sample, &forest, groups);
    size_t named = forest.joined;
    ok = ok && learn_likeness_pairs(&likeness, on_pair, &forest);
    groups->alike = forest.joined > named;
    if (ok && forest.joined > 0) {
        ok = groups_number(sample, &forest, groups);
    }
    free(forest.parent);
    learn_likeness_fini(&likeness);
    if (!ok) {
        learn_groups_fini(groups);
    }
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to compare %zu rows",
                                 sample->rows);
}

void learn_groups_fini(struct learn_groups *groups)
{
    free(groups->of_row);
    groups->of_row = NULL;
}
