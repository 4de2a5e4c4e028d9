/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_flags.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Keys above those of characters, so that no flag has a short form by accident. */
#define KEY_FIRST 256
#define WHY_BYTES 256

struct parse {
    const struct bench_flags *flags;
    void *into;
    unsigned arguments;
};

static double number_of(const struct bench_flag *flag, const char *text, struct argp_state *state)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool whole = flag->kind != BENCH_FLAG_REAL;
    if (end == text || *end != '\0' || !isfinite(value) || (whole && value != floor(value))) {
        argp_error(state, "--%s: '%s' is no %snumber", flag->name, text, whole ? "whole " : "");
    }
    if (value < flag->low || value > flag->high) {
        argp_error(state, "--%s: %s is outside %.10g to %.10g", flag->name, text, flag->low,
                   flag->high);
    }
    return value;
}

static void flag_take(const struct bench_flag *flag, const char *text, void *into,
                      struct argp_state *state)
{
    void *at = (char *)into + flag->offset;
    double value = flag->kind > BENCH_FLAG_OFF ? number_of(flag, text, state) : 0;
    switch (flag->kind) {
    case BENCH_FLAG_TEXT:
        *(const char **)at = text;
        break;
    case BENCH_FLAG_SWITCH:
    case BENCH_FLAG_OFF:
        *(bool *)at = flag->kind == BENCH_FLAG_SWITCH;
        break;
    case BENCH_FLAG_UNSIGNED:
        *(unsigned *)at = (unsigned)value;
        break;
    case BENCH_FLAG_INT:
        *(int *)at = (int)value;
        break;
    case BENCH_FLAG_U16:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case BENCH_FLAG_U64:
        *(uint64_t *)at = (uint64_t)value;
        break;
    case BENCH_FLAG_SIZE:
        *(size_t *)at = (size_t)value;
        break;
    case BENCH_FLAG_REAL:
        *(double *)at = value;
        break;
    }
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct parse *parse = state->input;
    const struct bench_flags *flags = parse->flags;
    char why[WHY_BYTES] = "";
    if (key == ARGP_KEY_ARG) {
        parse->arguments++;
        if (flags->on_argument == NULL) {
            return ARGP_ERR_UNKNOWN;
        }
        if (!flags->on_argument(parse->into, text, why, sizeof why)) {
            argp_error(state, "%s", why);
        }
        return 0;
    }
    if (key == ARGP_KEY_END && parse->arguments < flags->arguments_least) {
        argp_error(state, "%s", flags->missing);
    }
    if (key < KEY_FIRST || (size_t)(key - KEY_FIRST) >= flags->count + flags->more_count) {
        return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
    }
    size_t index = (size_t)(key - KEY_FIRST);
    if (index < flags->count) {
        flag_take(&flags->flags[index], text, parse->into, state);
    } else if (!flags->on_more(parse->into, flags->more[index - flags->count].name, text, why,
                               sizeof why)) {
        argp_error(state, "--%s: %s", flags->more[index - flags->count].name, why);
    }
    return 0;
}

static void options_fill(struct argp_option *options, const struct bench_flag *flags, size_t count,
                         int key, int group)
{
    for (size_t i = 0; i < count; i++) {
        options[i] = (struct argp_option){.name = flags[i].name,
                                          .key = key + (int)i,
                                          .arg = flags[i].argument,
                                          .doc = flags[i].help,
                                          .group = group};
    }
}

void bench_flags_parse(const struct bench_flags *flags, int argc, char **argv, void *into)
{
    struct argp_option *options = calloc(flags->count + flags->more_count + 1, sizeof *options);
    struct parse parse = {.flags = flags, .into = into};
    if (options == NULL) {
        exit(EX_OSERR);
    }
    options_fill(options, flags->flags, flags->count, KEY_FIRST, 1);
    options_fill(options + flags->count, flags->more, flags->more_count,
                 KEY_FIRST + (int)flags->count, 2);
    const struct argp parser = {options, take, flags->arguments, flags->what, NULL, NULL, NULL};
    argp_parse(&parser, argc, argv, 0, NULL, &parse);
    free(options);
}
