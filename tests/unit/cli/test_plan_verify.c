/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan without a server: keys are made for one pair of eyes, an export is verified, a proof
 * holds or does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/term/term_audit.h"
#include "server/term/term_json.h"
#include "server/term/term_list.h"
#include "tests/unit/term/term_story.h"
#include "tools/cli/cli.h"

enum { WORDS_MAX = 12, ACCOUNTS = 21 };

struct folder {
    char path[64], file[96], proof[96], key[96];
    struct term_story story;
    char *text;
};

/* Runs icp with these words, NULL at the end; its exit status. */
static int icp(const char *first, ...)
{
    char *words[WORDS_MAX] = {NULL};
    int count = 0;
    va_list rest;
    words[count++] = strdup("icp");
    va_start(rest, first);
    for (const char *word = first; word != NULL; word = va_arg(rest, const char *)) {
        assert_true(count < WORDS_MAX);
        words[count++] = strdup(word);
    }
    va_end(rest);
    int status = cli_run(count, words);
    for (int i = 0; i < count; i++) {
        free(words[i]);
    }
    return status;
}

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int folder_make(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    assert_non_null(folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/icp_plan_XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/plan", folder->path);
    snprintf(folder->proof, sizeof folder->proof, "%s/proof", folder->path);
    snprintf(folder->key, sizeof folder->key, "%s/key", folder->path);
    term_story_begin(&folder->story);
    term_story_tell(&folder->story, "next");
    folder->text = term_story_export(folder->story.lines, folder->story.count, "2027");
    file_write(folder->file, folder->text);
    *state = folder;
    return 0;
}

static int folder_remove(void **state)
{
    struct folder *folder = *state;
    (void)unlink(folder->file);
    (void)unlink(folder->proof);
    (void)unlink(folder->key);
    (void)rmdir(folder->path);
    term_story_end(&folder->story);
    free(folder->text);
    free(folder);
    return 0;
}

static void a_key_is_for_its_owner_alone_and_is_never_written_over(void **state)
{
    const struct folder *folder = *state;
    struct stat before;
    struct stat after;
    assert_int_equal(icp("plan", "key", folder->key, NULL), EX_OK);
    assert_int_equal(stat(folder->key, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    assert_int_equal(icp("plan", "key", folder->key, NULL), EX_OK);
    assert_int_equal(stat(folder->key, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(chmod(folder->key, 0640), 0);
    assert_int_equal(icp("plan", "key", folder->key, NULL), EX_NOPERM);
    assert_int_equal(chmod(folder->key, 0600), 0);
    file_write(folder->key, "no key\n");
    assert_int_equal(icp("plan", "key", folder->key, NULL), EX_DATAERR);
    assert_int_equal(icp("plan", "key", "/nowhere/key", NULL), EX_CANTCREAT);
    assert_int_equal(icp("plan", "key", NULL), EX_USAGE);
}

static void an_export_is_verified_without_a_server(void **state)
{
    const struct folder *folder = *state;
    char head[TERM_HASH_HEX + 1];
    term_hex_print(folder->story.plan.head.bytes, TERM_HASH_BYTES, head);
    assert_int_equal(icp("plan", "verify", "--file", folder->file, NULL), EX_OK);
    assert_int_equal(icp("plan", "verify", "--file", folder->file, "--head", head, NULL), EX_OK);
    head[0] = head[0] == '0' ? '1' : '0';
    assert_int_equal(icp("plan", "verify", "--file", folder->file, "--head", head, NULL),
                     EX_DATAERR);
    assert_int_equal(icp("plan", "verify", "--file", folder->file, "--head", "short", NULL),
                     EX_USAGE);
    assert_int_equal(icp("plan", "verify", "--file", "/nowhere", NULL), EX_NOINPUT);
    char *changed = strdup(folder->text);
    assert_non_null(changed);
    char *at = strstr(changed, "held-out");
    assert_non_null(at);
    memcpy(at, "held-in ", 8);
    file_write(folder->file, changed);
    assert_int_equal(icp("plan", "verify", "--file", folder->file, NULL), EX_DATAERR);
    file_write(folder->file, folder->text);
    free(changed);
}

static void who_verifies_says_what(void **state)
{
    const struct folder *folder = *state;
    assert_int_equal(icp("plan", "verify", NULL), EX_USAGE);
    assert_int_equal(icp("plan", "verify", "2027", "--file", folder->file, NULL), EX_USAGE);
    assert_int_equal(icp("plan", "sign", "2027", "--function", "sales", NULL), EX_USAGE);
    assert_int_equal(
        icp("plan", "amend", "2027", "to", "--function", "sales", "--key", folder->key, NULL),
        EX_USAGE);
    assert_int_equal(icp("plan", "create", "2027", "--from", "2027-01-01", NULL), EX_USAGE);
    assert_int_equal(icp("plan", "owner", "2027", "layer", NULL), EX_USAGE);
}

/* The proof of an account of a list, as `icp plan proof` writes it. */
static json_t *proof_make(unsigned account)
{
    struct proto_fault fault = {0};
    struct term_proof proof;
    struct term_hash root;
    char *leaf = NULL;
    char id[16];
    char hex[TERM_HASH_HEX + 1];
    json_t *entries = json_array();
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        snprintf(id, sizeof id, "a%u", i);
        json_array_append_new(
            entries, json_pack("{s:i, s:s, s:f}", "rank", (int)i + 1, "id", id, "fit", 99.5 - i));
    }
    json_t *document = json_pack("{s:o}", "entries", entries);
    snprintf(id, sizeof id, "a%u", account);
    assert_true(term_list_prove(document, id, &leaf, &proof, &root, &fault));
    assert_false(term_list_prove(document, "nobody", &leaf, &proof, &root, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    json_t *path = json_array();
    for (size_t i = 0; i < proof.count; i++) {
        term_hex_print(proof.path[i].bytes, TERM_HASH_BYTES, hex);
        json_array_append_new(path, json_string(hex));
    }
    term_hex_print(root.bytes, TERM_HASH_BYTES, hex);
    json_t *json = json_pack("{s:s, s:I, s:I, s:o, s:o}", "root", hex, "index",
                             (json_int_t)proof.index, "leaves", (json_int_t)proof.leaves, "path",
                             path, "account", json_loads(leaf, 0, NULL));
    free(leaf);
    json_decref(document);
    assert_non_null(json);
    return json;
}

static int proof_verify(const struct folder *folder, const json_t *json)
{
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char *text = term_json_print(json, &bytes, &fault);
    assert_non_null(text);
    file_write(folder->proof, text);
    free(text);
    return icp("plan", "verify", "--proof", folder->proof, NULL);
}

static void a_proof_holds_for_its_account_and_no_other(void **state)
{
    const struct folder *folder = *state;
    for (unsigned i = 0; i < ACCOUNTS; i += 4) {
        json_t *json = proof_make(i);
        assert_int_equal(proof_verify(folder, json), EX_OK);
        /* By itself it holds; of this plan's list it is not. */
        assert_int_equal(
            icp("plan", "verify", "--file", folder->file, "--proof", folder->proof, NULL),
            EX_DATAERR);
        json_object_set_new(json_object_get(json, "account"), "rank", json_integer(0));
        assert_int_equal(proof_verify(folder, json), EX_DATAERR);
        json_decref(json);
    }
    json_t *json = proof_make(3);
    json_object_set_new(json, "index", json_integer(4));
    assert_int_equal(proof_verify(folder, json), EX_DATAERR);
    json_object_set_new(json, "index", json_integer(-1));
    assert_int_equal(proof_verify(folder, json), EX_DATAERR);
    json_array_append_new(json_object_get(json, "path"), json_string("00"));
    assert_int_equal(proof_verify(folder, json), EX_DATAERR);
    json_decref(json);
    file_write(folder->proof, "[1, 2");
    assert_int_equal(icp("plan", "verify", "--proof", folder->proof, NULL), EX_DATAERR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_for_its_owner_alone_and_is_never_written_over),
        cmocka_unit_test(an_export_is_verified_without_a_server),
        cmocka_unit_test(who_verifies_says_what),
        cmocka_unit_test(a_proof_holds_for_its_account_and_no_other),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
