/* SPDX-License-Identifier: Apache-2.0 */
/* Flags of the options, from the same table. */
#include "server/base/config_value.h"

#include <sysexits.h>

/* Above every character, so that no option gets a short form. */
#define ARGP_KEY_FIRST 0x1000

/* Secrets have no flag: the arguments of a process are open to every user. */
#define ARGP_VALUE(NAME, flag, arg, flags, text)                                                   \
    {flag, ARGP_KEY_FIRST + BASE_OPTION_##NAME, arg, flags, text, 0},
#define ARGP_TEXT(NAME, flag, default_text, unit, help)                                            \
    ARGP_VALUE(NAME, flag, "TEXT", 0, help " (" default_text ")")
#define ARGP_PATH(NAME, flag, default_text, unit, help)                                            \
    ARGP_VALUE(NAME, flag, "PATH", 0, help " (" default_text ")")
#define ARGP_CHOICE(NAME, flag, default_text, unit, help)                                          \
    ARGP_VALUE(NAME, flag, unit, 0, help " (" default_text ")")
#define ARGP_SECRET(NAME, flag, default_text, unit, help)
#define ARGP_BYTES(NAME, flag, default_text, unit, help)                                           \
    ARGP_VALUE(NAME, flag, "BYTES", 0, help " (" default_text ")")
#define ARGP_MILLISECONDS(NAME, flag, default_text, unit, help)                                    \
    ARGP_VALUE(NAME, flag, "TIME", 0, help " (" default_text ")")
#define ARGP_COUNT(NAME, flag, default_text, unit, help)                                           \
    ARGP_VALUE(NAME, flag, "NUMBER", 0, help " (" default_text ")")
#define ARGP_FLAG(NAME, flag, default_text, unit, help)                                            \
    ARGP_VALUE(NAME, flag, "yes|no", OPTION_ARG_OPTIONAL, help " (" default_text ")")

static const struct argp_option flags[] = {
#define X(NAME, field, flag, TYPE, default_text, min, max, APPLY, unit, help)                      \
    ARGP_##TYPE(NAME, flag, default_text, unit, help)
#include "server/base/config.def"
#undef X
    {0},
};

static error_t take_flag(int key, char *text, struct argp_state *state)
{
    size_t count;
    const struct base_option_info *options = base_options(&count);
    if (key < ARGP_KEY_FIRST || (size_t)(key - ARGP_KEY_FIRST) >= count) {
        return ARGP_ERR_UNKNOWN;
    }
    const struct base_option_info *option = &options[key - ARGP_KEY_FIRST];
    char place[BASE_NAME_BYTES_MAX + 3];
    struct proto_fault fault;
    snprintf(place, sizeof place, "--%s", option->flag);
    if (!base_config_set(state->input, option->name, text != NULL ? text : "yes", BASE_ORIGIN_FLAG,
                         place, &fault)) {
        /* Without memory the flag may well be right. */
        if (fault.code == PROTO_NO_MEMORY) {
            argp_failure(state, EX_OSERR, 0, "%s", fault.message);
        }
        argp_error(state, "%s", fault.message);
    }
    return 0;
}

const struct argp base_config_argp = {.options = flags, .parser = take_flag};
