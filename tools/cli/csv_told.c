/* SPDX-License-Identifier: Apache-2.0 */
/* Options become a dialect, the file is opened by it, and what it turned out to be is told in a
 * line each: encoding, separator, columns without a name. */
#include "tools/cli/csv_told.h"

static bool choice(const struct cli *cli, const char *option, const char *const *words, int count,
                   int *chosen)
{
    const char *text = cli_text_named(cli, option);
    char list[128] = "";
    size_t used = 0;
    *chosen = 0;
    if (text == NULL) {
        return true;
    }
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *chosen = i + 1;
            return true;
        }
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    cli_say(cli, "--%s: '%s' is none of %s", option, text, list);
    return false;
}

/* A sign, or the word tab. */
static bool separator_read(const struct cli *cli, char *separator)
{
    const char *text = cli_text_named(cli, "separator");
    *separator = 0;
    if (text == NULL) {
        return true;
    }
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) {
        *separator = '\t';
    } else if (strlen(text) == 1 && strchr("\"\r\n", text[0]) == NULL && (text[0] & 0x80) == 0) {
        *separator = text[0];
    }
    if (*separator == 0) {
        cli_say(cli, "--separator: one sign is wanted, such as ';' or tab, not '%s'", text);
    }
    return *separator != 0;
}

static bool dialect_read(const struct cli *cli, struct csv_dialect *dialect)
{
    static const char *const encodings[] = {"utf-8", "utf-16", "latin1"};
    static const char *const decimals[] = {"point", "comma"};
    static const char *const orders[] = {"dmy", "mdy"};
    int encoding = 0;
    int decimal = 0;
    int dates = 0;
    bool good = separator_read(cli, &dialect->separator) &&
                choice(cli, "encoding", encodings, 3, &encoding) &&
                choice(cli, "decimal", decimals, 2, &decimal) &&
                choice(cli, "dates", orders, 2, &dates);
    dialect->encoding = (enum csv_encoding)encoding;
    dialect->decimal = (enum csv_decimal)decimal;
    dialect->dates = (enum csv_day_order)dates;
    return good;
}

static void found_tell(const struct cli *cli, const struct csv_input *input,
                       const struct csv_dialect *told)
{
    enum csv_encoding encoding = csv_encoding_of(input);
    size_t nameless = 0;
    if (told->encoding == CSV_ENCODING_ANY && encoding != CSV_ENCODING_UTF8) {
        cli_say(cli, "%s is read as %s; --encoding says otherwise", csv_name(input),
                encoding == CSV_ENCODING_UTF16 ? "UTF-16" : "Windows-1252 (Latin-1)");
    }
    for (size_t i = 0; i < csv_column_count(input); i++) {
        nameless += csv_column(input, i)[0] == '\0';
    }
    if (nameless > 0) {
        cli_say(cli, "%zu of the %zu columns of %s have no name and are not read", nameless,
                csv_column_count(input), csv_name(input));
    }
    if (csv_column_count(input) == 1 && told->separator == 0) {
        cli_say(cli,
                "%s has one column, '%s'; if that is wrong, name what separates them with "
                "--separator",
                csv_name(input), csv_column(input, 0));
    }
}

struct csv_input *csv_told_open(const struct cli *cli, const char *path, int *status)
{
    struct csv_dialect dialect = {0};
    struct proto_fault fault = {.code = PROTO_OK};
    *status = EX_USAGE;
    if (!dialect_read(cli, &dialect)) {
        return NULL;
    }
    struct csv_input *input = csv_open(path, &dialect, &fault);
    *status = input != NULL ? EX_OK : cli_file_fault(cli, &fault);
    if (input != NULL) {
        found_tell(cli, input, &dialect);
    }
    return input;
}

void csv_told_end(const struct cli *cli, const struct csv_input *input)
{
    size_t line = 0;
    size_t rows = csv_filled_rows(input, &line);
    if (rows > 0) {
        cli_say(cli,
                "%zu row%s before the header does, first line %zu: the last cells count as empty",
                rows, rows == 1 ? " ends" : "s end", line);
    }
}

bool csv_told_split(char *text, char **first, char **second)
{
    char *equal = strrchr(text, '=');
    if (equal == NULL || equal[1] == '\0') {
        return false;
    }
    *equal = '\0';
    char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0') {
        *equal = '=';
        return false;
    }
    *colon = '\0';
    *first = colon + 1;
    *second = equal + 1;
    return true;
}
