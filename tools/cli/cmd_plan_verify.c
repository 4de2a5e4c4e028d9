/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan verify, proof: whether a history is what was signed, from the server or from a file
 * without one; that one account is on the list, without the list. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/term/term_json.h"
#include "server/term/term_list.h"
#include "tools/cli/cmd.h"
#include "tools/cli/csv/csv_input.h"
#include "tools/cli/plan_text.h"

enum { PROOF_BYTES_MAX = 1 << 20 };

/* The path of a proof, read from its file. */
static bool path_read(const json_t *path, struct term_proof *proof)
{
    proof->count = json_array_size(path);
    if (!json_is_array(path) || proof->count > TERM_PROOF_MAX) {
        return false;
    }
    for (size_t i = 0; i < proof->count; i++) {
        const json_t *hash = json_array_get(path, i);
        if (!json_is_string(hash) ||
            !term_hex_read(feature_json_span(hash), proof->path[i].bytes, TERM_HASH_BYTES)) {
            return false;
        }
    }
    return true;
}

/* Whether the account leads to the root that the file says; *root is that. */
static int proof_check(const struct cli *cli, const json_t *json, const char **root)
{
    struct term_proof proof = {.index = 0};
    struct term_hash wanted;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    const json_t *index = json_object_get(json, "index");
    const json_t *leaves = json_object_get(json, "leaves");
    const json_t *account = json_object_get(json, "account");
    *root = json_string_value(json_object_get(json, "root"));
    if (*root == NULL || !json_is_object(account) || !json_is_integer(index) ||
        !json_is_integer(leaves) || json_integer_value(index) < 0 ||
        json_integer_value(leaves) < 1 ||
        !term_hex_read(proto_span_text(*root), wanted.bytes, TERM_HASH_BYTES) ||
        !path_read(json_object_get(json, "path"), &proof)) {
        return cli_fail(cli, EX_DATAERR, "the file is no proof of 'icp plan proof'");
    }
    proof.index = (size_t)json_integer_value(index);
    proof.leaves = (size_t)json_integer_value(leaves);
    char *text = term_json_print(account, &bytes, &fault);
    if (text == NULL) {
        return cli_fault(cli, &fault);
    }
    struct term_hash leaf = term_tree_leaf((struct proto_span){(const uint8_t *)text, bytes});
    free(text);
    return term_tree_check(&leaf, &proof, &wanted)
               ? EX_OK
               : cli_fail(cli, EX_DATAERR,
                          "the proof does not hold: account and path do not lead to the root");
}

/* The proof by itself, and against the list of a plan that was verified (NULL: there is none). */
static int proof_verify(const struct cli *cli, const char *path, const struct term_plan *plan)
{
    size_t bytes = 0;
    const char *root = NULL;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t *data = csv_file_read(path, PROOF_BYTES_MAX, &bytes, &fault);
    if (data == NULL) {
        return cli_file_fault(cli, &fault);
    }
    json_t *json = feature_json_load((struct proto_span){data, bytes}, PROTO_BAD_FIELD, &fault);
    free(data);
    if (json == NULL) {
        return cli_fail(cli, EX_DATAERR, "%s: %s", path, fault.message);
    }
    int status = proof_check(cli, json, &root);
    const char *id = json_string_value(json_object_get(json_object_get(json, "account"), "id"));
    const json_t *list = plan == NULL ? NULL : json_object_get(plan->terms, "list");
    const char *committed = json_string_value(json_object_get(list, "root"));
    if (status == EX_OK && plan != NULL && (committed == NULL || strcmp(committed, root) != 0)) {
        status = cli_fail(cli, EX_DATAERR, "the proof is about another list than that of the plan");
    }
    if (status == EX_OK) {
        cli_print(cli, "the account %s is on the list of root %s%s\n", id == NULL ? "" : id, root,
                  plan == NULL ? ", which is the plan's if its 'list' entry says so" : "");
    }
    json_decref(json);
    return status;
}

static int history_verify(const struct cli *cli, struct term_plan *plan)
{
    struct plan_text text;
    const char *path = cli_text(cli, CLI_PLAN_VERIFY_FILE);
    const char *head = cli_text(cli, CLI_PLAN_VERIFY_HEAD);
    char hex[TERM_HASH_HEX + 1];
    int status = path != NULL ? plan_text_read(cli, path, &text)
                              : plan_text_fetch(cli, cli->arguments[0], &text);
    *plan = (struct term_plan){.state = TERM_STATE_FIT};
    if (status == EX_OK) {
        status = plan_text_verify(cli, &text, head, plan);
    }
    if (status == EX_OK) {
        term_hex_print(plan->head.bytes, TERM_HASH_BYTES, hex);
        cli_print(cli,
                  "%s is sound: %u entries, %zu signatures stand, the plan is %s\n  head %s%s\n",
                  plan->name, plan->entries, json_object_size(plan->signed_by),
                  term_state_word(plan->state), hex, head != NULL ? ", which was asked for" : "");
        if (path == NULL && text.lost > 0) {
            cli_say(cli,
                    "%lld plan entries of the store are damaged or were given up; none is within "
                    "this plan, but one may have been its newest: compare --head",
                    text.lost);
        }
    }
    plan_text_fini(&text);
    return status;
}

int cmd_plan_verify(struct cli *cli)
{
    struct term_plan plan = {.state = TERM_STATE_FIT};
    const char *proof = cli_text(cli, CLI_PLAN_VERIFY_PROOF);
    bool file = cli_has(cli, CLI_PLAN_VERIFY_FILE);
    int status = EX_OK;
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    bool named = cli->argument_count > 0;
    if ((named && file) || (!named && !file && proof == NULL)) {
        return cli_fail(cli, EX_USAGE, "give NAME of a plan of the server, or --file of an export");
    }
    if (named || file) {
        status = history_verify(cli, &plan);
    }
    if (status == EX_OK && proof != NULL) {
        status = proof_verify(cli, proof, named || file ? &plan : NULL);
    }
    term_plan_fini(&plan);
    return status;
}

static json_t *proof_make(const struct term_plan *plan, const json_t *list, const char *leaf,
                          const struct term_proof *proof)
{
    char hex[TERM_HASH_HEX + 1];
    json_t *path = json_array();
    for (size_t i = 0; i < proof->count; i++) {
        term_hex_print(proof->path[i].bytes, TERM_HASH_BYTES, hex);
        feature_json_append(&path, json_string(hex));
    }
    return json_pack("{s:s, s:s, s:O, s:O, s:I, s:I, s:o, s:o}", "icp", "plan proof", "plan",
                     plan->name, "tal", json_object_get(list, "tal"), "root",
                     json_object_get(list, "root"), "index", (json_int_t)proof->index, "leaves",
                     (json_int_t)proof->leaves, "path", path, "account", json_loads(leaf, 0, NULL));
}

static int proof_write(const struct cli *cli, json_t *json)
{
    struct out_file output;
    size_t bytes = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    const char *path = cli_text(cli, CLI_PLAN_PROOF_OUT);
    char *text = term_json_print(json, &bytes, &fault);
    if (text == NULL) {
        return cli_fault(cli, &fault);
    }
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status == EX_OK) {
        fprintf(output.file, "%s\n", text);
        status = cli_file_commit(cli, &output);
    }
    free(text);
    return status;
}

static int prove(const struct cli *cli, const struct term_plan *plan)
{
    int status = EX_OK;
    char hex[TERM_HASH_HEX + 1];
    char *leaf = NULL;
    struct term_proof proof;
    struct term_hash root;
    struct proto_fault fault = {.code = PROTO_OK};
    const json_t *list = json_object_get(plan->terms, "list");
    const char *tal = json_string_value(json_object_get(list, "tal"));
    if (tal == NULL) {
        return cli_fail(cli, EX_DATAERR, "the plan has no list yet: see 'icp plan tal'");
    }
    json_t *document = plan_list_document(cli, tal, &status);
    if (document != NULL &&
        !term_list_prove(document, cli->arguments[1], &leaf, &proof, &root, &fault)) {
        status = cli_fail(cli, EX_DATAERR, "%s", fault.message);
    }
    json_decref(document);
    if (status != EX_OK) {
        return status;
    }
    term_hex_print(root.bytes, TERM_HASH_BYTES, hex);
    if (strcmp(hex, json_string_value(json_object_get(list, "root"))) != 0) {
        status = cli_fail(cli, EX_DATAERR, "the list is not the one that the plan is about");
    } else {
        json_t *json = proof_make(plan, list, leaf, &proof);
        status = json != NULL ? proof_write(cli, json) : cli_fail(cli, EX_OSERR, "no memory");
        json_decref(json);
    }
    free(leaf);
    return status;
}

int cmd_plan_proof(struct cli *cli)
{
    struct plan_text text;
    struct term_plan plan = {.state = TERM_STATE_FIT};
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    int status = plan_text_fetch(cli, cli->arguments[0], &text);
    if (status == EX_OK) {
        status = plan_text_verify(cli, &text, NULL, &plan);
    }
    plan_text_fini(&text);
    if (status == EX_OK) {
        status = prove(cli, &plan);
    }
    term_plan_fini(&plan);
    return status;
}
