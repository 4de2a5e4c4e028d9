/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan key, sign, amend: what needs a secret key, which is read from its file here and goes
 * nowhere. Before anything is signed the whole history is fetched and verified: a signature covers
 * the newest hash, and so whoever signs answers for every entry before it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/feature/json_text.h"
#include "server/term/term_key.h"
#include "server/term/term_list.h"
#include "tools/cli/cmd.h"
#include "tools/cli/plan_text.h"

static int public_print(const struct cli *cli, const struct term_key *key)
{
    uint8_t public[TERM_KEY_BYTES];
    char hex[2 * TERM_KEY_BYTES + 1];
    struct proto_fault fault = {.code = PROTO_OK};
    if (!term_key_public(key, public, &fault)) {
        return cli_fault(cli, &fault);
    }
    term_hex_print(public, sizeof public, hex);
    cli_print(cli, "%s\n", hex);
    return EX_OK;
}

/* A secret key that others may read is no secret. NULL with *status. */
static struct term_key *key_open(const struct cli *cli, const char *path, int *status)
{
    struct stat about;
    struct proto_fault fault = {.code = PROTO_OK};
    FILE *file = fopen(path, "re");
    if (file == NULL || fstat(fileno(file), &about) != 0) {
        *status = cli_fail(cli, EX_NOINPUT, "%s: %s", path, strerror(errno));
        if (file != NULL) {
            fclose(file);
        }
        return NULL;
    }
    struct term_key *key = NULL;
    if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        *status =
            cli_fail(cli, EX_NOPERM, "%s: others may read this key: chmod 600 %s", path, path);
    } else {
        key = term_key_read(file, &fault);
        *status = key != NULL ? EX_OK : cli_fail(cli, EX_DATAERR, "%s: %s", path, fault.message);
    }
    fclose(file);
    return key;
}

static int key_make(const struct cli *cli, const char *path)
{
    struct proto_fault fault = {.code = PROTO_OK};
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (file == NULL) {
        int status = cli_fail(cli, EX_CANTCREAT, "%s: %s", path, strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
        }
        return status;
    }
    struct term_key *key = term_key_make(&fault);
    bool good = key != NULL && term_key_write(key, file, &fault);
    if (fclose(file) != 0 && good) {
        good = proto_fault_set(&fault, PROTO_IO, "key", "%s: %s", path, strerror(errno));
    }
    int status = good ? public_print(cli, key) : cli_fault(cli, &fault);
    term_key_destroy(key);
    if (!good) {
        (void)unlink(path);
    }
    return status;
}

int cmd_plan_key(struct cli *cli)
{
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    const char *path = cli->arguments[0];
    if (access(path, F_OK) != 0) {
        return key_make(cli, path);
    }
    struct term_key *key = key_open(cli, path, &status);
    if (key != NULL) {
        status = public_print(cli, key);
    }
    term_key_destroy(key);
    return status;
}

/* The plan as it is, verified. */
static int plan_open(const struct cli *cli, struct term_plan *plan)
{
    struct plan_text text;
    *plan = (struct term_plan){.state = TERM_STATE_FIT};
    int status = plan_text_fetch(cli, cli->arguments[0], &text);
    if (status == EX_OK) {
        status = plan_text_verify(cli, &text, NULL, plan);
    }
    plan_text_fini(&text);
    return status;
}

/* Completes the body with function, covers and signature. */
static int body_sign(const struct cli *cli, const struct term_plan *plan, const char *act,
                     json_t *body, const struct term_key *key)
{
    char hex[2 * TERM_SIGNATURE_BYTES + 1];
    uint8_t signature[TERM_SIGNATURE_BYTES];
    size_t bytes = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    term_hex_print(plan->head.bytes, TERM_HASH_BYTES, hex);
    bool good =
        json_object_set_new(body, "function", json_string(cli_text_named(cli, "function"))) == 0;
    good = json_object_set_new(body, "covers", json_string(hex)) == 0 && good;
    char *text = good ? term_statement(plan->name, act, body, &bytes, &fault) : NULL;
    good = text != NULL &&
           term_key_sign(key, (struct proto_span){(const uint8_t *)text, bytes}, signature, &fault);
    free(text);
    if (good) {
        term_hex_print(signature, sizeof signature, hex);
        good = json_object_set_new(body, "signature", json_string(hex)) == 0;
    }
    return good                     ? EX_OK
           : fault.code != PROTO_OK ? cli_fault(cli, &fault)
                                    : cli_fail(cli, EX_OSERR, "no memory");
}

/* Signs and sends; takes the body, which may be NULL without memory. */
static int signed_send(const struct cli *cli, const struct term_plan *plan, const char *act,
                       json_t *body)
{
    int status = body != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
    struct term_key *key = body == NULL ? NULL : key_open(cli, cli_text_named(cli, "key"), &status);
    if (key != NULL) {
        status = body_sign(cli, plan, act, body, key);
    }
    term_key_destroy(key);
    if (status != EX_OK) {
        json_decref(body);
        return status;
    }
    return plan_send(cli, plan->name, act, body);
}

static bool signer_given(const struct cli *cli)
{
    if (cli_text_named(cli, "function") != NULL && cli_text_named(cli, "key") != NULL) {
        return true;
    }
    (void)cli_fail(cli, EX_USAGE, "who signs is said by --function and --key FILE");
    return false;
}

int cmd_plan_sign(struct cli *cli)
{
    struct term_plan plan;
    if (!cli_arguments(cli, 1, 1) || !signer_given(cli)) {
        return EX_USAGE;
    }
    int status = plan_open(cli, &plan);
    if (status == EX_OK) {
        status = signed_send(cli, &plan, "sign", json_object());
    }
    term_plan_fini(&plan);
    return status;
}

/* The new value: a day, a list by its name with its root, a share, or an object; NULL with
 * *status. */
static json_t *after_make(const struct cli *cli, const char *path, int *status)
{
    struct term_hash root;
    char hex[TERM_HASH_HEX + 1];
    size_t count = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    const char *text = cli_text(cli, CLI_PLAN_AMEND_AFTER);
    json_t *after = NULL;
    if (strcmp(path, "from") == 0 || strcmp(path, "to") == 0) {
        after = json_string(text);
    } else if (strcmp(path, "share") == 0) {
        return plan_share_read(cli, "after", text, status);
    } else if (strcmp(path, "list") == 0) {
        json_t *document = plan_list_document(cli, text, status);
        if (document != NULL && term_list_root(document, &root, &count, &fault)) {
            const json_t *icp = json_object_get(json_object_get(document, "icp"), "version");
            term_hex_print(root.bytes, sizeof root.bytes, hex);
            after = json_pack("{s:s, s:O, s:O, s:I, s:s}", "tal", text, "digest",
                              json_object_get(document, "digest"), "icp", icp, "count",
                              (json_int_t)count, "root", hex);
        }
        json_decref(document);
    } else {
        after = feature_json_load(proto_span_text(text), PROTO_BAD_FIELD, &fault);
    }
    if (after == NULL && *status == EX_OK) {
        *status = fault.code != PROTO_OK ? cli_fail(cli, EX_DATAERR, "--after: %s", fault.message)
                                         : cli_fail(cli, EX_DATAERR, "--after is no UTF-8 text");
    }
    return after;
}

/* Whether the word is of a term, so that a wrong one is told before its value is read. */
static bool term_known(const char *path)
{
    static const char *const terms[] = {"from", "to", "list", "share"};
    static const char *const registries[] = {"layers/", "stages/", "signatories/"};
    bool known = false;
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        known = known || strcmp(path, terms[i]) == 0;
    }
    for (size_t i = 0; i < sizeof registries / sizeof *registries; i++) {
        known = known || strncmp(path, registries[i], strlen(registries[i])) == 0;
    }
    return known;
}

static int amend(const struct cli *cli, const struct term_plan *plan, const char *path)
{
    int status = EX_OK;
    if (!term_known(path)) {
        return cli_fail(cli, EX_USAGE,
                        "'%s' is no term of a plan: amend from, to, list, share, layers/NAME, "
                        "stages/NAME or signatories/FUNCTION",
                        path);
    }
    json_t *after = after_make(cli, path, &status);
    if (after == NULL) {
        return status;
    }
    json_t *before = json_incref((json_t *)(uintptr_t)term_plan_at(plan, path));
    json_t *body = json_pack("{s:s, s:o, s:o, s:s}", "path", path, "before",
                             before == NULL ? json_null() : before, "after", after, "reason",
                             cli_text(cli, CLI_PLAN_AMEND_REASON));
    return signed_send(cli, plan, "amend", body);
}

int cmd_plan_amend(struct cli *cli)
{
    struct term_plan plan;
    if (!cli_arguments(cli, 2, 2) || !signer_given(cli)) {
        return EX_USAGE;
    }
    if (!cli_has(cli, CLI_PLAN_AMEND_AFTER) || !cli_has(cli, CLI_PLAN_AMEND_REASON)) {
        return cli_fail(cli, EX_USAGE, "an amendment needs --after and --reason");
    }
    int status = plan_open(cli, &plan);
    if (status == EX_OK) {
        status = amend(cli, &plan, cli->arguments[1]);
    }
    term_plan_fini(&plan);
    return status;
}
