/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are counted, each column is decided alone (infer_column.c), then those decisions are taken
 * that need all columns: the one id, the one domain, names that a schema can have. */
#include "tools/cli/csv/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/infer_census.h"
#include "tools/cli/csv/infer_column.h"
#include "tools/cli/csv/infer_form.h"
#include "tools/cli/csv/infer_note.h"

bool infer_init(struct infer *infer, const char *const *names, size_t count)
{
    *infer = (struct infer){.column_count = count};
    infer->columns = calloc(count > 0 ? count : 1, sizeof *infer->columns);
    infer->probe = infer_probe();
    if (infer->columns == NULL || infer->probe == NULL) {
        infer_fini(infer);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        infer->columns[i].name = names[i];
        text_count_init(&infer->columns[i].texts, INFER_DISTINCT_MAX);
    }
    return true;
}

void infer_fini(struct infer *infer)
{
    for (size_t i = 0; infer->columns != NULL && i < infer->column_count; i++) {
        text_count_fini(&infer->columns[i].texts);
    }
    free(infer->columns);
    feature_schema_release(infer->probe);
    *infer = (struct infer){0};
}

void infer_row(struct infer *infer, size_t line, const struct proto_span *cells, size_t count)
{
    for (size_t i = 0; i < count && i < infer->column_count; i++) {
        struct proto_span text = feature_text_trim(cells[i]);
        if (!text_count_add(&infer->columns[i].texts, text, line, NULL)) {
            infer->failed = true;
        }
    }
    infer->rows++;
}

static struct infer_column *column_find(struct infer *infer, const char *name)
{
    for (size_t i = 0; i < infer->column_count; i++) {
        if (strcmp(infer->columns[i].name, name) == 0) {
            return &infer->columns[i];
        }
    }
    return NULL;
}

bool infer_tell(struct infer *infer, const char *name, enum infer_role role, const char *key_space)
{
    struct infer_column *column = column_find(infer, name);
    if (column == NULL) {
        return false;
    }
    column->told = true;
    column->role = role;
    snprintf(column->key_space, sizeof column->key_space, "%s", key_space);
    snprintf(column->why, sizeof column->why, "as told");
    return true;
}

bool infer_tell_label(struct infer *infer, const char *name)
{
    struct infer_column *column = column_find(infer, name);
    if (column == NULL) {
        return false;
    }
    column->is_label = true;
    return true;
}

const char *infer_role_name(enum infer_role role)
{
    static const char *const names[] = {"field", "id", "key", "left out"};
    return names[role];
}

/* What keeps the first column that is called like one from being the id: no value, or one twice. */
static void id_missed(struct infer *infer)
{
    char shown[FEATURE_SHOWN_BYTES];
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        bool free = column->why[0] == '\0' || column->is_text; /* else it says what weighs more */
        if (column->told || column->is_label || !free || !infer_name_has_word(column->name, "id")) {
            continue;
        }
        for (size_t t = 0; t < column->texts.count; t++) {
            const struct text_entry *entry = &column->texts.entries[t];
            if (infer_is_missing(column, entry->text)) {
                infer_say(column, "no id: missing in %zu of %zu rows, first line %zu", entry->count,
                          infer->rows, entry->line);
                return;
            }
            if (entry->count > 1) {
                infer_say(column, "no id: '%s' stands %zu times, first line %zu",
                          feature_text_show(entry->text, shown, sizeof shown), entry->count,
                          entry->line);
                return;
            }
        }
    }
}

/* The first column that is unique, full and looks like an identifier becomes the id. */
static void id_choose(struct infer *infer)
{
    struct infer_column *chosen = NULL;
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        if (column->role == INFER_ID) {
            return;
        }
        if (!column->told && !column->is_label && column->is_unique && chosen == NULL &&
            (infer_name_is_id(column->name) || i == 0)) {
            chosen = column;
        }
    }
    if (chosen == NULL && !infer->keep_all) {
        id_missed(infer);
    }
    if (chosen == NULL || infer->keep_all) {
        return;
    }
    chosen->role = INFER_ID;
    snprintf(chosen->why, sizeof chosen->why, "every row has a value of its own");
}

/* The first column of websites becomes the key domain, unless one was told. */
static void domain_choose(struct infer *infer)
{
    struct infer_column *chosen = NULL;
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        if (column->role == INFER_KEY && strcmp(column->key_space, "domain") == 0) {
            return;
        }
        if (!column->told && column->is_website && chosen == NULL) {
            chosen = column;
        }
    }
    if (chosen == NULL || infer->keep_all) {
        return;
    }
    chosen->role = INFER_KEY;
    snprintf(chosen->key_space, sizeof chosen->key_space, "domain");
    snprintf(chosen->why, sizeof chosen->why, "websites: their domains find the account");
}

/* Of the columns that are called like names of companies, the first by what it is called; those
 * that repeat name something else: a parent, a plan. */
static void display_name_choose(struct infer *infer)
{
    struct infer_column *chosen = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        size_t rank = infer_name_rank(column->name);
        bool fits = column->is_text && !column->told && !column->is_label &&
                    (column->role == INFER_FIELD || column->role == INFER_LEFT_OUT) &&
                    column->distinct > 1 && column->distinct * 2 >= infer->rows - column->missing;
        if (fits && rank < best) {
            best = rank;
            chosen = column;
        }
    }
    if (chosen == NULL || infer->keep_all) {
        return;
    }
    chosen->role = INFER_FIELD;
    chosen->is_name = true;
    snprintf(chosen->why, sizeof chosen->why,
             "names the accounts: shown beside their ids (\"name\" of the schema)");
}

/* Names that a schema refuses cannot become fields. */
static void names_check(struct infer *infer)
{
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        if (column->role != INFER_FIELD) {
            continue;
        }
        size_t bytes = strlen(column->name);
        const char *trouble = NULL;
        if (bytes == 0) {
            trouble = "the column has no name";
        } else if (bytes > PROTO_FIELD_NAME_BYTES_MAX) {
            trouble = "the name is longer than 127 bytes";
        }
        for (size_t c = 0; c < bytes; c++) {
            if ((unsigned char)column->name[c] < 0x20 || column->name[c] == 0x7f) {
                trouble = "a control character stands in the name";
            }
        }
        for (size_t j = 0; j < i; j++) {
            if (infer->columns[j].role == INFER_FIELD && bytes > 0 &&
                strcasecmp(infer->columns[j].name, column->name) == 0) {
                trouble = "an earlier column has the same name but for upper and lower case";
            }
        }
        if (trouble != NULL) {
            column->role = INFER_LEFT_OUT;
            snprintf(column->why, sizeof column->why, "%s", trouble);
        }
    }
}

/* Which decimal sign each column has, by its own cells or, where those could be both, by the file.
 */
static void decimals_decide(struct infer *infer)
{
    struct csv_votes file = {0};
    struct csv_votes *votes = calloc(infer->column_count + 1, sizeof *votes);
    if (votes == NULL) {
        infer->failed = true;
        return;
    }
    for (size_t i = 0; i < infer->column_count; i++) {
        const struct text_count *texts = &infer->columns[i].texts;
        size_t numbers = 0;
        size_t cells = 0;
        for (size_t t = 0; t < texts->count; t++) {
            const struct text_entry *entry = &texts->entries[t];
            if (infer_is_missing(&infer->columns[i], entry->text)) {
                continue;
            }
            cells += entry->count;
            numbers +=
                csv_form_vote(&votes[i], entry->text, entry->count, entry->line) ? entry->count : 0;
        }
        if (numbers * 10 < cells * 9) { /* names and dates have points too */
            votes[i] = (struct csv_votes){0};
        }
        csv_form_join(&file, &votes[i]);
    }
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        bool told = infer->decimal != CSV_DECIMAL_ANY;
        column->decimal =
            told ? infer->decimal : csv_form_decide(&votes[i], &file, infer->separator);
        column->decimal_open = !told && csv_form_is_open(&votes[i]);
        column->open_line = votes[i].line;
    }
    free(votes);
}

/* The order of day and month, likewise. */
static void dates_decide(struct infer *infer)
{
    struct csv_date_votes file = {0};
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        size_t cells = 0;
        for (size_t t = 0; t < column->texts.count; t++) {
            const struct text_entry *entry = &column->texts.entries[t];
            if (!infer_is_missing(column, entry->text)) {
                cells += entry->count;
                (void)csv_date_vote(&column->date_votes, entry->text, entry->count, entry->line);
            }
        }
        if (column->date_votes.dates * 10 >= cells * 9) {
            csv_date_join(&file, &column->date_votes);
        }
    }
    for (size_t i = 0; i < infer->column_count; i++) {
        struct infer_column *column = &infer->columns[i];
        column->dates = infer->dates != CSV_DAY_OPEN ? infer->dates
                                                     : csv_date_decide(&column->date_votes, &file);
    }
}

/* NA is Namibia among codes of countries, and North America among regions. */
static void na_decide(struct infer_column *column)
{
    const struct text_count *texts = &column->texts;
    size_t codes = 0;
    size_t others = 0;
    bool is_region = infer_name_is_region(column->name);
    if (text_count_find(texts, proto_span_text("NA")) == NULL) {
        return;
    }
    for (size_t t = 0; t < texts->count; t++) {
        struct proto_span text = texts->entries[t].text;
        if (infer_is_missing(column, text)) {
            continue;
        }
        bool code = infer_is_short_code(text, is_region ? 5 : 2);
        codes += code;
        others += !code;
    }
    column->keeps_na = codes >= (is_region ? 2 : 5) && others * 10 <= codes;
}

/* Where NA is a code of one column, it is no word for missing of the whole file: each other column
 * in which it stands gets it as a word of its own. */
static void na_share(struct infer *infer)
{
    bool kept = false;
    for (size_t i = 0; i < infer->column_count; i++) {
        kept |= infer->columns[i].keeps_na && infer->columns[i].role == INFER_FIELD;
    }
    for (size_t i = 0; i < infer->column_count && kept; i++) {
        struct infer_column *column = &infer->columns[i];
        for (size_t t = 0; t < column->texts.count && !column->keeps_na; t++) {
            struct proto_span text = column->texts.entries[t].text;
            if (feature_text_same(text, proto_span_text("NA")) &&
                column->word_count < INFER_WORDS_MAX) {
                column->words[column->word_count++] = text;
            }
        }
    }
}

static bool na_is_kept(const struct infer *infer)
{
    for (size_t i = 0; i < infer->column_count; i++) {
        if (infer->columns[i].keeps_na && infer->columns[i].role == INFER_FIELD) {
            return true;
        }
    }
    return false;
}

void infer_decide(struct infer *infer)
{
    for (size_t i = 0; i < infer->column_count; i++) {
        na_decide(&infer->columns[i]);
    }
    decimals_decide(infer);
    dates_decide(infer);
    for (size_t i = 0; i < infer->column_count; i++) {
        infer_column_decide(&infer->columns[i], infer->probe, infer->rows, infer->keep_all);
    }
    id_choose(infer);
    domain_choose(infer);
    display_name_choose(infer);
    names_check(infer);
    na_share(infer);
}

/* The schema as JSON. */

static json_t *field_json(const struct infer_column *column)
{
    json_t *field = json_object();
    json_object_set_new(field, "name", json_string(column->name));
    json_object_set_new(field, "type", json_string(feature_type_name(column->type)));
    json_object_set_new(field, "family", json_string(feature_family_name(column->family)));
    if (column->transform == FEATURE_TRANSFORM_LOG) {
        json_object_set_new(field, "transform", json_string("log"));
    }
    if (column->word_count > 0) {
        json_t *words = json_array();
        for (size_t i = 0; i < column->word_count; i++) {
            json_array_append_new(
                words, json_stringn((const char *)column->words[i].data, column->words[i].bytes));
        }
        json_object_set_new(field, "missing", words);
    }
    return field;
}

/* The usual words for missing, as far as they occur in a field of this file. */
static json_t *missing_json(const struct infer *infer)
{
    size_t count = 0;
    const char *const *words = feature_default_missing_words(&count);
    json_t *missing = json_array();
    json_array_append_new(missing, json_string(""));
    for (size_t w = 0; w < count; w++) {
        bool occurs = false;
        for (size_t i = 0; i < infer->column_count && !occurs && words[w][0] != '\0'; i++) {
            const struct text_count *texts = &infer->columns[i].texts;
            if (infer->columns[i].role != INFER_FIELD) {
                continue;
            }
            for (size_t t = 0; t < texts->count && !occurs; t++) {
                occurs = feature_text_same(texts->entries[t].text, proto_span_text(words[w]));
            }
        }
        bool is_code = strcmp(words[w], "NA") == 0 && na_is_kept(infer);
        if (occurs && !is_code) {
            json_array_append_new(missing, json_string(words[w]));
        }
    }
    return missing;
}

json_t *infer_schema(const struct infer *infer)
{
    json_t *schema = json_object();
    json_t *keys = json_object();
    json_t *fields = json_array();
    for (size_t i = 0; i < infer->column_count; i++) {
        const struct infer_column *column = &infer->columns[i];
        if (column->role == INFER_ID) {
            json_object_set_new(schema, "id", json_string(column->name));
        } else if (column->role == INFER_KEY) {
            json_object_set_new(keys, column->key_space, json_string(column->name));
        } else if (column->role == INFER_FIELD) {
            json_array_append_new(fields, field_json(column));
            if (column->is_name) {
                json_object_set_new(schema, "name", json_string(column->name));
            }
        }
    }
    json_object_set_new(schema, "keys", keys);
    json_object_set_new(schema, "missing", missing_json(infer));
    json_object_set_new(schema, "fields", fields);
    return schema;
}
