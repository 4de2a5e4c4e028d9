/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the <icp.h> that is installed: client/icp.h with its tables written out, so that the header
 * needs no other file of ours. Reads blocks of this form and replaces each by the macro's expansion
 * for every row of the table:
 *
 *     #define X(a, b, …) body, over several lines with a backslash at the end of each but the last
 *     #include "proto/<table>.def"
 *     #undef X
 *
 * Usage: expand_tables SOURCE_ROOT HEADER OUT. Runs during the build; exits 1 with a message. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 1024
#define MACRO_BYTES_MAX 4096
#define ARGUMENTS_MAX 10

struct arguments {
    char text[LINE_BYTES_MAX];
    char *items[ARGUMENTS_MAX];
    size_t count;
};

static _Noreturn void die(const char *what, const char *where)
{
    fprintf(stderr, "expand_tables: %s: %s\n", what, where);
    exit(1);
}

/* Splits what stands between the outermost parentheses at commas outside of quotes. Returns what
 * follows the closing one. */
static const char *arguments_read(const char *from, struct arguments *arguments)
{
    const char *open = strchr(from, '(');
    if (open == NULL) {
        die("no parenthesis", from);
    }
    char *out = arguments->text;
    arguments->items[0] = out;
    arguments->count = 1;
    int quoted = 0;
    for (const char *at = open + 1; *at != '\0'; at++) {
        quoted ^= *at == '"';
        if (!quoted && *at == ')') {
            *out = '\0';
            return at + 1;
        }
        if (!quoted && *at == ',') {
            *out++ = '\0';
            if (arguments->count == ARGUMENTS_MAX) {
                die("too many arguments", from);
            }
            arguments->items[arguments->count++] = out;
        } else if (quoted || *at != ' ') {
            *out++ = *at;
        }
    }
    die("no closing parenthesis", from);
}

/* Writes the body with each parameter replaced by its argument and ## taken out. */
static void body_print(FILE *out, const char *body, const struct arguments *parameters,
                       const struct arguments *values)
{
    for (const char *at = body; *at != '\0';) {
        if (at[0] == '#' && at[1] == '#') {
            at += 2;
            continue;
        }
        if (!isalpha((unsigned char)*at) && *at != '_') {
            fputc(*at++, out);
            continue;
        }
        size_t bytes = 0;
        while (isalnum((unsigned char)at[bytes]) || at[bytes] == '_') {
            bytes++;
        }
        const char *text = at;
        int text_bytes = (int)bytes;
        for (size_t i = 0; i < parameters->count && i < values->count; i++) {
            if (strlen(parameters->items[i]) == bytes &&
                memcmp(parameters->items[i], at, bytes) == 0) {
                text = values->items[i];
                text_bytes = (int)strlen(text);
            }
        }
        fprintf(out, "%.*s", text_bytes, text);
        at += bytes;
    }
}

static void table_print(FILE *out, const char *path, const char *body, const char *indent,
                        const struct arguments *parameters)
{
    FILE *table = fopen(path, "r");
    if (table == NULL) {
        die("cannot open", path);
    }
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof line, table) != NULL) {
        if (strncmp(line, "X(", 2) != 0) {
            continue;
        }
        struct arguments values;
        (void)arguments_read(line, &values);
        /* The last argument of each table says what the row means. */
        const char *help = values.items[values.count - 1];
        fprintf(out, "%s/* %.*s. */\n%s", indent, (int)strlen(help) - 2, help + 1, indent);
        body_print(out, body, parameters, &values);
    }
    fclose(table);
}

/* Reads a whole macro, its continued lines joined by newlines. */
static void macro_read(FILE *in, char *line, char *macro)
{
    size_t used = 0;
    for (;;) {
        size_t bytes = strcspn(line, "\n");
        int continued = bytes > 0 && line[bytes - 1] == '\\';
        if (continued) {
            bytes--;
        }
        while (bytes > 0 && line[bytes - 1] == ' ') {
            bytes--;
        }
        if (used + bytes + 2 > MACRO_BYTES_MAX) {
            die("macro too long", line);
        }
        memcpy(macro + used, line, bytes);
        used += bytes;
        macro[used++] = '\n';
        macro[used] = '\0';
        if (!continued) {
            return;
        }
        if (fgets(line, LINE_BYTES_MAX, in) == NULL) {
            die("file ends within a macro", macro);
        }
    }
}

static void block_expand(FILE *in, FILE *out, const char *root, char *line)
{
    char macro[MACRO_BYTES_MAX];
    char path[LINE_BYTES_MAX];
    macro_read(in, line, macro);
    struct arguments parameters;
    const char *body = arguments_read(macro, &parameters);
    int is_inline = *body != '\n'; /* the body starts on the line of the define: an enumerator */
    while (*body == ' ' || *body == '\n') {
        body++;
    }
    char name[128];
    if (fgets(line, LINE_BYTES_MAX, in) == NULL ||
        sscanf(line, "#include \"%127[^\"]\"", name) != 1) {
        die("a macro must be followed by the #include of its table", macro);
    }
    snprintf(path, sizeof path, "%s/%s", root, name);
    table_print(out, path, body, is_inline ? "    " : "", &parameters);
    if (fgets(line, LINE_BYTES_MAX, in) == NULL || strncmp(line, "#undef", 6) != 0) {
        die("a table must be followed by #undef", path);
    }
}

int main(int count, char **arguments)
{
    if (count != 4) {
        die("usage", "expand_tables SOURCE_ROOT HEADER OUT");
    }
    FILE *in = fopen(arguments[2], "r");
    FILE *out = fopen(arguments[3], "w");
    if (in == NULL || out == NULL) {
        die("cannot open", in == NULL ? arguments[2] : arguments[3]);
    }
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof line, in) != NULL) {
        if (strncmp(line, "#define X(", 10) == 0) {
            block_expand(in, out, arguments[1], line);
        } else {
            fputs(line, out);
        }
    }
    fclose(in);
    if (fclose(out) != 0) {
        die("cannot write", arguments[3]);
    }
    return 0;
}
