/* SPDX-License-Identifier: Apache-2.0 */
/* What can be measured, and one measure: a form of its parameters, made from the server's own list
 * of them, and the table that comes of it. A measure is worked out only when its form was sent. */
#include "server/console/console_pages.h"

#include <string.h>

#include "server/event/event_money.h"

enum { COLUMNS_MAX = 64, ROWS_SHOWN = 2000 };
/* What stands before the name of a parameter in the form. */
static const char prefix[] = "with.";

static void measure_row(struct console_table *table, const struct icp_value *measure)
{
    struct icp_text name = console_text_of(measure, "name");
    bool served = console_flag_of(measure, "served");
    console_cell_open(table);
    if (served) {
        console_link_to(table->out, "/measures/measure", "measure", name, name);
    } else {
        console_said(table->out, name);
    }
    console_cell_close(table);
    console_cell_said(table, console_text_of(measure, "summary"));
    console_cell(table, served ? "" : "over files alone: icp measure");
}

/* The measure of that name in the reply of measure-list. */
static bool find(const struct icp_reply *reply, const char *name, struct icp_value *measure)
{
    struct icp_value list;
    if (!icp_reply_get(reply, "measures", &list)) {
        return false;
    }
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, measure)) {
        struct icp_text text = console_text_of(measure, "name");
        if (text.bytes == strlen(name) && memcmp(text.data, name, text.bytes) == 0) {
            return true;
        }
    }
    return false;
}

void console_measures(struct console_view *view)
{
    static const char *const columns[] = {"measure", "what it says", "where"};
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value measure;
    struct console_table table;
    console_question(view->link);
    if (console_get(view, ICP_OP_MEASURE_LIST, &reply) &&
        icp_reply_get(&reply, "measures", &list)) {
        console_table_open(&table, view->out, "Measures", columns, 3);
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &measure)) {
            measure_row(&table, &measure);
        }
        console_table_close(&table);
    }
    icp_reply_fini(&reply);
}

static void copy(char *out, size_t out_bytes, struct icp_text text)
{
    snprintf(out, out_bytes, "%.*s", (int)text.bytes, text.bytes > 0 ? text.data : "");
}

static void parameter_input(struct console_view *view, const struct icp_value *parameter)
{
    char name[64];
    char input[sizeof prefix + 64];
    char hint[512];
    char fallback[128];
    copy(name, sizeof name, console_text_of(parameter, "name"));
    copy(fallback, sizeof fallback, console_text_of(parameter, "fallback"));
    struct icp_text help = console_text_of(parameter, "help");
    snprintf(hint, sizeof hint, "%.*s%s%s", (int)help.bytes, help.data,
             fallback[0] != '\0' ? "; usually " : "", fallback);
    snprintf(input, sizeof input, "%s%s", prefix, name);
    console_input(view->out, input, name, console_asked(view, input), hint);
}

static void form(struct console_view *view, const char *name, const struct icp_value *measure)
{
    FILE *out = view->out;
    struct icp_value list;
    struct icp_value parameter;
    (void)fputs("<p>", out);
    console_said(out, console_text_of(measure, "summary"));
    (void)fputs("</p>\n", out);
    console_form_open(out, "/measures/measure", false, "What to measure");
    (void)fputs("<input type=\"hidden\" name=\"measure\" value=\"", out);
    console_text(out, name);
    (void)fputs("\"><input type=\"hidden\" name=\"run\" value=\"1\">\n", out);
    if (icp_value_get(measure, "parameters", &list)) {
        struct icp_walk walk = icp_walk_over(&list);
        while (icp_next(&walk, NULL, &parameter)) {
            parameter_input(view, &parameter);
        }
    }
    console_input(out, "filter", "Only accounts where", console_asked(view, "filter"),
                  "a filter expression");
    console_input(out, "by", "A row for each value of", console_asked(view, "by"), "a field");
    console_form_close(out, "Measure");
}

/* The columns of the answer, as a table wants them. */
struct shape {
    char names[COLUMNS_MAX][72];
    char kinds[COLUMNS_MAX][12];
    const char *columns[COLUMNS_MAX];
    size_t count;
};

static void shape_read(const struct icp_reply *reply, struct shape *shape)
{
    struct icp_value list;
    struct icp_value column;
    shape->count = 0;
    if (!icp_reply_get(reply, "columns", &list)) {
        return;
    }
    struct icp_walk walk = icp_walk_over(&list);
    while (shape->count < COLUMNS_MAX && icp_next(&walk, NULL, &column)) {
        size_t at = shape->count++;
        struct icp_text name = console_text_of(&column, "name");
        copy(shape->kinds[at], sizeof shape->kinds[at], console_text_of(&column, "kind"));
        bool words = strcmp(shape->kinds[at], "text") == 0 || strcmp(shape->kinds[at], "time") == 0;
        snprintf(shape->names[at], sizeof shape->names[at], "%s%.*s", words ? "" : "#",
                 (int)name.bytes, name.data);
        shape->columns[at] = shape->names[at];
    }
}

static void cell(struct console_table *table, const struct icp_value *value, const char *kind,
                 struct icp_text currency)
{
    struct proto_span code = {(const uint8_t *)currency.data, currency.bytes};
    char text[EVENT_DECIMAL_BYTES];
    if (value->kind == ICP_KIND_NIL || value->kind == ICP_KIND_TEXT) {
        console_cell_value(table, value);
    } else if (strcmp(kind, "money") == 0) {
        console_cell(table,
                     event_decimal_print(value->integer, event_money_digits(code), false, text));
    } else if (strcmp(kind, "time") == 0) {
        console_cell_time(table, value->integer);
    } else if (strcmp(kind, "count") == 0) {
        console_cell_count(table, value->number);
    } else {
        console_cell_number(table, "%.4g", value->number);
    }
}

static void answer_table(struct console_view *view, const struct icp_reply *reply)
{
    struct shape shape;
    struct console_table table;
    struct icp_value rows;
    struct icp_value row;
    struct icp_value value;
    size_t shown = 0;
    struct icp_text currency = icp_reply_text(reply, "currency");
    shape_read(reply, &shape);
    if (shape.count == 0 || !icp_reply_get(reply, "rows", &rows)) {
        return;
    }
    console_table_open(&table, view->out, "What was measured", shape.columns, shape.count);
    struct icp_walk walk = icp_walk_over(&rows);
    while (shown < ROWS_SHOWN && icp_next(&walk, NULL, &row)) {
        struct icp_walk cells = icp_walk_over(&row);
        size_t at = 0;
        while (at < shape.count && icp_next(&cells, NULL, &value)) {
            cell(&table, &value, shape.kinds[at++], currency);
        }
        shown++;
    }
    console_table_close(&table);
    if (shown < rows.count) {
        (void)fprintf(view->out, "<p>The first %zu of %zu rows; icp measure gives all.</p>\n",
                      shown, rows.count);
    }
}

static void sentence(FILE *out, const char *before, struct icp_text text)
{
    if (text.bytes > 0) {
        (void)fprintf(out, "<p class=\"note\">%s", before);
        console_said(out, text);
        (void)fputs("</p>\n", out);
    }
}

static void parameters_take(const struct console_view *view, struct icp_payload *payload)
{
    const struct http_form *asked = &view->exchange->form;
    bool any = false;
    for (size_t i = 0; i < asked->count; i++) {
        const struct http_field *field = &asked->fields[i];
        if (strncmp(field->name, prefix, sizeof prefix - 1) != 0 || field->value[0] == '\0') {
            continue;
        }
        if (!any) {
            icp_payload_map_begin(payload, "parameters");
        }
        any = true;
        icp_payload_text(payload, field->name + sizeof prefix - 1, field->value);
    }
    if (any) {
        icp_payload_map_end(payload);
    }
}

static void answer(struct console_view *view, const char *name)
{
    static const char *const more[] = {"filter", "by"};
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    icp_payload_text(payload, "measure", name);
    parameters_take(view, payload);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        const char *text = console_asked(view, more[i]);
        if (text != NULL) {
            icp_payload_text(payload, more[i], text);
        }
    }
    if (console_get(view, ICP_OP_MEASURE, &reply)) {
        (void)fputs("<p>", view->out);
        console_count(view->out, icp_reply_number(&reply, "accounts", 0));
        (void)fputs(" accounts with ", view->out);
        console_count(view->out, icp_reply_number(&reply, "events", 0));
        (void)fputs(" events were looked at.</p>\n", view->out);
        sentence(view->out, "Amounts are in ", icp_reply_text(&reply, "currency"));
        answer_table(view, &reply);
        sentence(view->out, "Intervals: ", icp_reply_text(&reply, "interval"));
        sentence(view->out, "Several rows at once: ", icp_reply_text(&reply, "correction"));
    }
    icp_reply_fini(&reply);
}

void console_measure(struct console_view *view)
{
    const char *name = console_asked(view, "measure");
    struct icp_reply reply = {0};
    struct icp_value measure;
    console_question(view->link);
    if (console_get(view, ICP_OP_MEASURE_LIST, &reply)) {
        if (name == NULL || !find(&reply, name, &measure)) {
            view->status = 404;
            console_note(view->out, "There is no such measure; they stand under Measures.");
        } else {
            console_heading(view->out, name);
            form(view, name, &measure);
            if (console_asked(view, "run") != NULL) {
                answer(view, name);
            }
        }
    }
    icp_reply_fini(&reply);
}
