/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of icpd: the table config.def as a struct, with where each value came from.
 *
 * Sources, weakest first: default, file, environment (ICPD_NAME), flag (--name). A value of a
 * weaker source never replaces one of a stronger, so the calls may come in any order: flags are
 * parsed first, because one of them may name the file. Within one source an option may be given
 * once.
 *
 * File: `name = value` lines, comments begin with # or ;, an optional section [icpd]; lines up to
 * BASE_CONFIG_LINE_BYTES bytes. Every refusal is PROTO_BAD_CONFIG with fault->field = the option
 * and a message that begins with the place ("icpd.conf:12: …") and says what would be right; an
 * unknown name is refused with the nearest one. Secrets never appear in a message or in print.
 *
 * Ownership: the struct owns its texts (never NULL), until fini. Threads: one thread; who needs a
 * value on another thread copies it before. Cost: start-up only.
 * Source: inih (github.com/benhoyt/inih), argp of glibc. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <argp.h>
#include <stdio.h>

#include "proto/fault.h"

#define BASE_CONFIG_LINE_BYTES 198 /* inih as Debian builds it */

enum base_option {
#define X(NAME, field, flag, TYPE, default_text, min, max, APPLY, unit, help) BASE_OPTION_##NAME,
#include "server/base/config.def"
#undef X
    BASE_OPTION_COUNT
};

enum base_option_type {
    BASE_TYPE_TEXT,
    BASE_TYPE_PATH,
    BASE_TYPE_CHOICE,
    BASE_TYPE_SECRET,
    BASE_TYPE_BYTES,
    BASE_TYPE_MILLISECONDS,
    BASE_TYPE_COUNT,
    BASE_TYPE_FLAG,
};

enum base_option_apply { BASE_APPLY_RELOAD, BASE_APPLY_RESTART };

/* Weakest first. A token read from its *_token_file counts as DERIVED. */
enum base_origin_kind {
    BASE_ORIGIN_DEFAULT,
    BASE_ORIGIN_DERIVED,
    BASE_ORIGIN_FILE,
    BASE_ORIGIN_ENVIRONMENT,
    BASE_ORIGIN_FLAG,
};

struct base_origin {
    enum base_origin_kind kind;
    char place[128]; /* "default", "…/icpd.conf:12", "ICPD_PORT", "--port"; cut at its front */
};

struct base_option_info {
    const char *name; /* as in files: connections_max */
    const char *flag; /* as in --flag: connections-max */
    enum base_option_type type;
    const char *default_text;
    uint64_t min;
    uint64_t max;
    enum base_option_apply apply;
    const char *unit; /* for a CHOICE the words, divided by | */
    const char *help;
    size_t offset; /* of the field within struct base_config */
};

#define BASE_C_TEXT char *
#define BASE_C_PATH char *
#define BASE_C_CHOICE char *
#define BASE_C_SECRET char *
#define BASE_C_BYTES uint64_t
#define BASE_C_MILLISECONDS uint64_t
#define BASE_C_COUNT uint64_t
#define BASE_C_FLAG bool

struct base_config {
#define X(NAME, field, flag, TYPE, default_text, min, max, APPLY, unit, help) BASE_C_##TYPE field;
#include "server/base/config.def"
#undef X
    struct base_origin origins[BASE_OPTION_COUNT];
};

/* Every option by BASE_OPTION_*. */
const struct base_option_info *base_options(size_t *count);
/* By name, dashes and underscores alike; NULL if there is none. */
const struct base_option_info *base_option_find(const char *name);
/* The option whose name is fewest letters away, NULL if none is near. */
const struct base_option_info *base_option_nearest(const char *name);
const char *base_option_type_name(enum base_option_type type);

/* All defaults. False with PROTO_NO_MEMORY; fini is allowed then too. */
bool base_config_init(struct base_config *config, struct proto_fault *fault);
void base_config_fini(struct base_config *config);

/* Reads to the end and reports the first fault; what came before it is set. */
bool base_config_load_file(struct base_config *config, const char *path, struct proto_fault *fault);
/* Takes ICPD_<NAME> from `environment` (as environ(7)). A name that is no option is refused, but
 * for ICPD_CONFIG and for ICPD_SERVICE_*, ICPD_PORT_*, which container platforms set by themselves.
 */
bool base_config_load_env(struct base_config *config, char *const *environment,
                          struct proto_fault *fault);
/* Checks the text always; takes it unless a stronger source has spoken. `place` is for people. */
bool base_config_set(struct base_config *config, const char *name, const char *text,
                     enum base_origin_kind kind, const char *place, struct proto_fault *fault);
#define BASE_TOKEN_BYTES_MIN 16 /* of a secret that gives a role */
/* Last step of a load: reads the token files and checks what no option can check alone. */
bool base_config_resolve(struct base_config *config, struct proto_fault *fault);

/* Flags of every option but secrets, as a child parser: put {&base_config_argp, 0, "Options", 0}
 * into `children` and in the parent's ARGP_KEY_INIT set state->child_inputs[i] = config. A bad
 * value ends the program through argp_error, as a bad flag does. */
extern const struct argp base_config_argp;

/* `name = value  ; origin` for every option, in a form that load_file reads back (but for values
 * that are longer than a line of a file may be); secrets as comments. */
void base_config_print(const struct base_config *config, FILE *out);
/* The value as base_config_set takes it ("16M", "30s"); a secret gives "(set)" or "". `out` has
 * room for out_bytes, and a text that does not fit is cut. */
void base_config_value(const struct base_config *config, enum base_option option, char *out,
                       size_t out_bytes);
/* A file of every option, each with what it does and its default, commented out: a place to begin.
 * Reading it back changes nothing. */
void base_config_sample(FILE *out);
/* docs/reference/options.md. */
void base_config_reference(FILE *out);

/* Reads everything anew: defaults, the file (NULL: none), then what environment and flags said at
 * the start. Calls on_change for each option that differs; those with BASE_APPLY_RELOAD are already
 * taken over, the others keep their value until a restart. On a fault nothing changes. */
bool base_config_reload(struct base_config *config, const char *path,
                        void (*on_change)(void *context, const struct base_option_info *option),
                        void *context, struct proto_fault *fault);

#endif
