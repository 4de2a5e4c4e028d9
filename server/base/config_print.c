/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "server/base/config_value.h"

void base_config_value(const struct base_config *config, enum base_option option, char *out,
                       size_t out_bytes)
{
    size_t count;
    const struct base_option_info *info = base_options(&count) + option;
    assert((size_t)option < count);
    if (info->type == BASE_TYPE_SECRET) {
        snprintf(out, out_bytes, "%s", base_config_text(config, info)[0] != '\0' ? "(set)" : "");
    } else if (base_value_is_text(info->type)) {
        snprintf(out, out_bytes, "%s", base_config_text(config, info));
    } else {
        base_value_print(info->type, base_config_number(config, info), out, out_bytes);
    }
}

void base_config_print(const struct base_config *config, FILE *out)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    char value[BASE_VALUE_PRINT_BYTES];
    char line[BASE_VALUE_PRINT_BYTES + 2 * BASE_NAME_BYTES_MAX];
    for (size_t i = 0; i < count; i++) {
        const char *place = config->origins[i].place;
        base_config_value(config, (enum base_option)i, value, sizeof value);
        /* A secret is a comment as a whole, so that reading it back loses it rather than takes
         * "(set)". A blank before a semicolon would make a comment of a value that begins with one.
         */
        snprintf(line, sizeof line, "%s%s =%s%s", options[i].type == BASE_TYPE_SECRET ? "; " : "",
                 options[i].name, value[0] == ';' ? "" : " ", value);
        /* The origin stands behind, as a comment, unless the line became too long to be read back;
         * without blanks it is as short as it can have been in the file. */
        if (strlen(line) + strlen("  ; ") + strlen(place) <= BASE_CONFIG_LINE_BYTES) {
            fprintf(out, "%s  ; %s\n", line, place);
        } else if (strlen(line) <= BASE_CONFIG_LINE_BYTES) {
            fprintf(out, "; %s\n%s\n", place, line);
        } else {
            fprintf(out, "; %s\n%s%s=%s\n", place, options[i].type == BASE_TYPE_SECRET ? ";" : "",
                    options[i].name, value);
        }
    }
}

/* Words of a comment, broken before SAMPLE_COLUMNS: inih takes what goes beyond its line for a line
 * of its own. */
static void print_comment(FILE *out, const char *text)
{
    enum { SAMPLE_COLUMNS = 96 };
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column == 0 || column + 1 + word > SAMPLE_COLUMNS) {
            fprintf(out, "%s# %.*s", column == 0 ? "" : "\n", (int)word, text);
            column = 2 + word;
        } else {
            fprintf(out, " %.*s", (int)word, text);
            column += 1 + word;
        }
        text += word;
        text += *text == ' ';
    }
    fputc('\n', out);
}

void base_config_sample(FILE *out)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    fputs("# Options of icpd. What is commented out has its default; flags and the environment\n"
          "# (ICPD_NAME) win over this file. `icpd -c FILE -t` checks it.\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const struct base_option_info *option = &options[i];
        fputc('\n', out);
        print_comment(out, option->help);
        if (option->type == BASE_TYPE_CHOICE) {
            fprintf(out, "# One of %s.\n", option->unit);
        }
        fprintf(out, "# Takes effect %s.\n",
                option->apply == BASE_APPLY_RELOAD ? "on reload" : "at the next start");
        fprintf(out, "# %s = %s\n", option->name, option->default_text);
    }
}

/* In a cell of a Markdown table a bar must be escaped. */
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fprintf(out, "%s%c", *text == '|' ? "\\" : "", *text);
    }
    fputs(" | ", out);
}

void base_config_reference(FILE *out)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    fputs("| option | flag | type | default | from | to | takes effect | what it does |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const struct base_option_info *option = &options[i];
        char low[32] = "";
        char high[32] = "";
        if (!base_value_is_text(option->type) && option->type != BASE_TYPE_FLAG) {
            base_value_print(option->type, option->min, low, sizeof low);
            base_value_print(option->type, option->max, high, sizeof high);
        }
        fprintf(out, "| `%s` | ", option->name);
        if (option->type == BASE_TYPE_SECRET) {
            fputs("none | ", out);
        } else {
            fprintf(out, "`--%s` | ", option->flag);
        }
        print_cell(out, option->type == BASE_TYPE_CHOICE ? option->unit
                                                         : base_option_type_name(option->type));
        print_cell(out, option->default_text[0] != '\0' ? option->default_text : "none");
        fprintf(out, "%s | %s | %s | %s |\n", low, high,
                option->apply == BASE_APPLY_RELOAD ? "on reload" : "at start", option->help);
    }
}
