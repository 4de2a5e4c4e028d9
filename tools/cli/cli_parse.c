/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a command line apart by option.def: "--name value", "--name=value", a beginning of a name
 * that fits one option alone, "-k value", "-kvalue", switches run together, "--" before arguments
 * that look like options. What does not fit is answered with what was meant; getopt's own words
 * ("unrecognized option") could not be. */
#include <stdlib.h>

#include "tools/cli/cli.h"

struct parse {
    struct cli *cli;
    int count;
    char **words;
    int at;
    bool help;
};

static int unknown(const struct parse *parse, const char *word, const char *name)
{
    const struct cli *cli = parse->cli;
    const struct cli_option *nearest = cli_nearest_option(cli->command, name);
    if (nearest != NULL) {
        return cli_fail(cli, EX_USAGE, "there is no option %s; did you mean --%s%s%s?", word,
                        nearest->name, nearest->argument != NULL ? " " : "",
                        nearest->argument != NULL ? nearest->argument : "");
    }
    return cli_fail(cli, EX_USAGE, "there is no option %s; 'icp help %s' lists them", word,
                    cli->command->name);
}

static void setting_add(struct cli *cli, const struct cli_option *option, const char *value)
{
    enum cli_option_id id = (enum cli_option_id)(option - cli_options());
    cli->settings[cli->setting_count++] = (struct cli_setting){id, value != NULL ? value : ""};
    if (option->argument != NULL) {
        return;
    }
    if (strcmp(option->name, "json") == 0) {
        cli->style.form = OUT_JSON;
    } else if (strcmp(option->name, "csv") == 0) {
        cli->style.form = OUT_CSV;
    }
}

/* NULL with *many: the beginning of several. */
static const struct cli_option *option_long(const struct cli *cli, const char *name, size_t bytes,
                                            const struct cli_option **many)
{
    const struct cli_option *found = NULL;
    *many = NULL;
    for (int id = 0; id < CLI_OPTIONS; id++) {
        const struct cli_option *option = &cli_options()[id];
        if (!cli_option_belongs(cli->command, option) || strncmp(option->name, name, bytes) != 0) {
            continue;
        }
        if (option->name[bytes] == '\0') {
            return option;
        }
        /* One of exactly this name may come behind those that only begin so. */
        *many = found != NULL ? found : *many;
        found = found != NULL ? found : option;
    }
    return *many == NULL ? found : NULL;
}

/* The value behind an option, from the same word or the next. */
static int value_take(struct parse *parse, const struct cli_option *option, const char *same)
{
    struct cli *cli = parse->cli;
    if (option->argument == NULL) {
        if (same != NULL) {
            return cli_fail(cli, EX_USAGE, "--%s takes no value: %s", option->name, option->help);
        }
        setting_add(cli, option, NULL);
        return EX_OK;
    }
    if (same == NULL && parse->at < parse->count) {
        same = parse->words[parse->at++];
    }
    if (same == NULL) {
        return cli_fail(cli, EX_USAGE, "--%s: the value is missing; --%s %s: %s", option->name,
                        option->name, option->argument, option->help);
    }
    setting_add(cli, option, same);
    return EX_OK;
}

static int long_take(struct parse *parse, const char *word)
{
    const char *name = word + 2;
    size_t bytes = strcspn(name, "=");
    const struct cli_option *many = NULL;
    if (bytes == 4 && strncmp(name, "help", 4) == 0) {
        parse->help = true;
        return EX_OK;
    }
    const struct cli_option *option = option_long(parse->cli, name, bytes, &many);
    if (option != NULL) {
        return value_take(parse, option, name[bytes] == '=' ? name + bytes + 1 : NULL);
    }
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", (int)bytes, name);
    if (many != NULL) {
        return cli_fail(parse->cli, EX_USAGE,
                        "--%s could be several options, such as --%s; write it in full", copy,
                        many->name);
    }
    return unknown(parse, word, copy);
}

static const struct cli_option *option_short(const struct cli *cli, char key)
{
    for (int id = 0; id < CLI_OPTIONS; id++) {
        if (cli_options()[id].key == key && cli_option_belongs(cli->command, &cli_options()[id])) {
            return &cli_options()[id];
        }
    }
    return NULL;
}

static int short_take(struct parse *parse, const char *word)
{
    const struct cli_option *many = NULL;
    for (const char *key = word + 1; *key != '\0'; key++) {
        if (*key == '?' || (*key == 'h' && option_short(parse->cli, 'h') == NULL)) {
            parse->help = true;
            return EX_OK;
        }
        const struct cli_option *option = option_short(parse->cli, *key);
        /* "-json" for "--json": a long name behind one sign. */
        const struct cli_option *meant =
            key == word + 1 && word[2] != '\0'
                ? option_long(parse->cli, word + 1, strcspn(word + 1, "="), &many)
                : NULL;
        if (meant != NULL && (option == NULL || strlen(meant->name) == strlen(word + 1))) {
            return cli_fail(parse->cli, EX_USAGE, "there is no option %s; did you mean -%s?", word,
                            word);
        }
        if (option == NULL) {
            return unknown(parse, word, word + 1);
        }
        if (option->argument != NULL) {
            return value_take(parse, option, key[1] != '\0' ? key + 1 : NULL);
        }
        setting_add(parse->cli, option, NULL);
    }
    return EX_OK;
}

/* A dash that a word processor made longer. */
static bool is_long_dash(const char *word)
{
    return strncmp(word, "\xe2\x80\x93", 3) == 0 || strncmp(word, "\xe2\x80\x94", 3) == 0 ||
           strncmp(word, "\xe2\x88\x92", 3) == 0;
}

static int word_take(struct parse *parse, char *word, bool *only_arguments)
{
    struct cli *cli = parse->cli;
    if (!*only_arguments && is_long_dash(word)) {
        const char *name = word + 3 + strspn(word + 3, "-");
        return cli_fail(cli, EX_USAGE,
                        "'%s' begins with a long dash, as text programs make it; type --%s", word,
                        is_long_dash(name) ? name + 3 : name);
    }
    if (*only_arguments || word[0] != '-' || word[1] == '\0') {
        cli->arguments[cli->argument_count++] = word;
        return EX_OK;
    }
    if (strcmp(word, "--") == 0) {
        *only_arguments = true;
        return EX_OK;
    }
    return word[1] == '-' ? long_take(parse, word) : short_take(parse, word);
}

int cli_parse(struct cli *cli, int count, char **words, bool *help)
{
    struct parse parse = {.cli = cli, .count = count, .words = words};
    bool only_arguments = false;
    int status = EX_OK;
    size_t letters = 0; /* switches may be run together */
    for (int i = 0; i < count; i++) {
        letters += strlen(words[i]);
    }
    cli->settings = calloc(letters + 1, sizeof *cli->settings);
    cli->arguments = calloc((size_t)count + 1, sizeof *cli->arguments);
    if (cli->settings == NULL || cli->arguments == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    while (status == EX_OK && parse.at < count) {
        status = word_take(&parse, words[parse.at++], &only_arguments);
    }
    *help = parse.help;
    return status;
}
