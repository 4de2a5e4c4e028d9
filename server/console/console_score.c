/* SPDX-License-Identifier: Apache-2.0 */
/* Scoring from a form: who it is, or values of a lead, or values laid over an account. The fields
 * are those of the schema; a value is read as a cell of a CSV file is. The form is POSTed, so that
 * what stands in it comes into no history and no log. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server/console/console_pages.h"
#include "server/console/console_why.h"

/* Fields that the form shows; more are scored by the command line. */
enum { FIELDS_SHOWN = 120 };
/* What stands before the name of a field in the form. */
static const char prefix[] = "value.";

static void field_input(struct console_view *view, const json_t *field)
{
    const char *name = json_string_value(json_object_get(field, "name"));
    const char *type = json_string_value(json_object_get(field, "type"));
    char input[sizeof prefix + 256];
    if (name == NULL || type == NULL || strcmp(type, "vector") == 0) {
        return;
    }
    snprintf(input, sizeof input, "%s%s", prefix, name);
    console_input(view->out, input, name, console_asked(view, input), type);
}

static void value_inputs(struct console_view *view)
{
    struct icp_reply reply = {0};
    console_question(view->link);
    if (console_get(view, ICP_OP_SCHEMA_GET, &reply)) {
        struct icp_text text = icp_reply_text(&reply, "document");
        json_t *document = json_loadb(text.data, text.bytes, 0, NULL);
        size_t index;
        json_t *field;
        json_array_foreach(json_object_get(document, "fields"), index, field)
        {
            if (index < FIELDS_SHOWN) {
                field_input(view, field);
            }
        }
        json_decref(document);
    }
    icp_reply_fini(&reply);
}

static void form(struct console_view *view)
{
    FILE *out = view->out;
    console_form_open(out, "/score", true, "Whom to score");
    console_input(out, "id", "Account id", console_asked(view, "id"), NULL);
    console_input(out, "key", "or any key", console_asked(view, "key"), "such as domain:acme.com");
    console_input(out, "email", "or an email address", console_asked(view, "email"),
                  "its domain counts");
    console_input(out, "icp", "Version", console_asked(view, "icp"), "empty: the one in force");
    if (console_may(view, ICP_OP_SCHEMA_GET)) {
        (void)fputs("<h2 class=\"whole\">Values, of a lead or laid over the account</h2>\n", out);
        value_inputs(view);
    }
    console_form_close(out, "Score");
}

/* The values of the form, as the request wants them. Returns how many. */
static size_t values_take(const struct console_view *view, struct icp_payload *payload)
{
    const struct http_form *asked = &view->exchange->form;
    size_t count = 0;
    for (size_t i = 0; i < asked->count; i++) {
        const struct http_field *field = &asked->fields[i];
        if (strncmp(field->name, prefix, sizeof prefix - 1) != 0 || field->value[0] == '\0') {
            continue;
        }
        if (count++ == 0) {
            icp_payload_map_begin(payload, "values");
        }
        icp_payload_text(payload, field->name + sizeof prefix - 1, field->value);
    }
    if (count > 0) {
        icp_payload_map_end(payload);
    }
    return count;
}

static void whose(struct console_view *view, struct icp_text id)
{
    if (console_may(view, ICP_OP_ACCOUNT_GET)) {
        console_link_to(view->out, "/account", "id", id, id);
    } else {
        console_said(view->out, id);
    }
}

static void answer(struct console_view *view)
{
    static const char *const who[] = {"id", "key", "email"};
    struct icp_payload *payload = console_question(view->link);
    struct icp_reply reply = {0};
    size_t given = 0;
    for (size_t i = 0; i < sizeof who / sizeof *who; i++) {
        const char *text = console_asked(view, who[i]);
        if (text != NULL) {
            icp_payload_text(payload, who[i], text);
            given++;
        }
    }
    given += values_take(view, payload);
    uint64_t version = console_asked_number(view, "icp", 0);
    if (version > 0) {
        icp_payload_uint(payload, "icp", version);
    }
    icp_payload_uint(payload, "reasons", CONSOLE_REASONS);
    icp_payload_flag(payload, "names", true);
    if (given == 0) {
        console_note(view->out, "Say who it is, or give at least one value.");
        return;
    }
    if (console_get(view, ICP_OP_SCORE, &reply)) {
        struct icp_text id = icp_reply_text(&reply, "id");
        (void)fputs("<section aria-live=\"polite\"><h2>The score", view->out);
        struct icp_text name = icp_reply_text(&reply, "name");
        if (id.bytes > 0) {
            (void)fputs(" of ", view->out);
            whose(view, id);
        }
        if (name.bytes > 0) {
            (void)fputs(", ", view->out);
            console_said(view->out, name);
        }
        (void)fputs("</h2>\n", view->out);
        if (!icp_reply_flag(&reply, "found", false)) {
            console_note(view->out, "No stored account was found: the values alone were scored.");
        }
        console_why(view->out, &reply);
        (void)fputs("</section>\n", view->out);
    }
    icp_reply_fini(&reply);
}

void console_score(struct console_view *view)
{
    if (view->exchange->posted) {
        answer(view);
    }
    form(view);
}
