/* SPDX-License-Identifier: Apache-2.0 */
/* An expression is parsed with the schema at hand; where it fails, it is shown again with a caret
 * under the character at fault, cut to the screen. */
#include "tools/cli/label.h"

#include <stdlib.h>

#include "tools/cli/out/out_text.h"

/* What is shown of an expression on each side of the caret, where the screen is wide. */
#define AROUND 60
#define INDENT 2

static size_t character_bytes(const char *at)
{
    size_t bytes = 1;
    while (((unsigned char)at[bytes] & 0xc0) == 0x80) {
        bytes++;
    }
    return bytes;
}

void label_caret(const char *text, size_t column)
{
    struct out_sink sink = out_sink_of(stderr);
    char *clean = text[0] != '\0' ? out_clean(text) : NULL;
    if (clean == NULL) {
        return;
    }
    for (char *blank = clean; *blank != '\0'; blank++) {
        *blank = *blank == '\n' || *blank == '\t' ? ' ' : *blank;
    }
    size_t around = sink.columns > 0 ? (sink.columns - INDENT) / 2 : AROUND;
    const char *at = clean;
    for (size_t i = 1; i < column && *at != '\0'; i++) {
        at += character_bytes(at);
    }
    /* From as far before the caret as there is room, at a word's beginning. */
    const char *start = clean;
    while (out_width_n(start, (size_t)(at - start)) > around) {
        start += character_bytes(start);
    }
    while (start > clean && start < at && start[-1] != ' ') {
        start += character_bytes(start);
    }
    size_t bytes = out_fit(start, strlen(start), out_width_n(start, (size_t)(at - start)) + around);
    while (start[bytes] != '\0' && start[bytes] != ' ' && start + bytes > at) {
        bytes--;
    }
    if (start + bytes <= at) {
        bytes = strcspn(at, " ") + (size_t)(at - start);
    }
    fprintf(stderr, "%*s%.*s\n%*s^\n", INDENT, "", (int)bytes, start,
            INDENT + (int)out_width_n(start, (size_t)(at - start)), "");
    free(clean);
}

struct filter *label_parse(const struct cli *cli, const struct feature_schema *schema,
                           const char *option, const char *text)
{
    struct proto_fault fault = {.code = PROTO_OK};
    size_t column = 0;
    struct filter *filter = filter_parse(schema, proto_span_text(text), &fault, &column);
    if (filter != NULL) {
        return filter;
    }
    cli_say(cli, "--%s: %s", option, fault.message);
    if (column > 0) {
        label_caret(text, column);
    }
    return NULL;
}

void label_caret_fault(const char *text, const struct icp_fault *fault)
{
    size_t column = 0;
    if (fault->code == ICP_BAD_FILTER && sscanf(fault->message, "column %zu:", &column) == 1) {
        label_caret(text, column);
    }
}

bool name_next(const char **text, char *name, size_t name_bytes)
{
    size_t bytes = 0;
    const char *at = *text;
    while (bytes == 0 && *at != '\0') {
        for (; *at != '\0' && *at != ','; at++) {
            at += *at == '\\' && at[1] == ',';
            if (bytes + 1 < name_bytes && (bytes > 0 || *at != ' ')) {
                name[bytes++] = *at;
            }
        }
        while (bytes > 0 && name[bytes - 1] == ' ') {
            bytes--;
        }
        at += *at == ',';
    }
    name[bytes] = '\0';
    *text = at;
    return bytes > 0;
}

bool names_known(const struct cli *cli, enum cli_option_id option,
                 const struct feature_schema *schema)
{
    size_t at = 0;
    const char *text;
    char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
    bool known = true;
    while ((text = cli_each(cli, option, &at)) != NULL) {
        while (name_next(&text, name, sizeof name)) {
            if (feature_schema_find(schema, proto_span_text(name)) != NULL) {
                continue;
            }
            const struct feature_field *nearest =
                feature_schema_nearest(schema, proto_span_text(name));
            cli_say(cli, "--%s: the schema has no field '%s'%s%s%s", cli_options()[option].name,
                    name, nearest != NULL ? "; did you mean '" : "",
                    nearest != NULL ? nearest->name : "", nearest != NULL ? "'?" : "");
            known = false;
        }
    }
    return known;
}

bool names_write(const struct cli *cli, enum cli_option_id option, const char *key,
                 struct icp_payload *payload)
{
    size_t at = 0;
    const char *text;
    char name[PROTO_FIELD_NAME_BYTES_MAX + 1];
    size_t count = 0;
    if (!cli_has(cli, option)) {
        return true;
    }
    icp_payload_list_begin(payload, key);
    while ((text = cli_each(cli, option, &at)) != NULL) {
        for (; name_next(&text, name, sizeof name); count++) {
            icp_payload_text(payload, NULL, name);
        }
    }
    icp_payload_list_end(payload);
    if (count == 0) {
        cli_say(cli, "--%s: the list is empty; names stand with a comma between",
                cli_options()[option].name);
    }
    return count > 0;
}
