/* SPDX-License-Identifier: Apache-2.0 */
/* Roots of 1 to 8 leaves as the reference implementations of RFC 6962 have them; each leaf of trees
 * of every size to 130 is proved, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/term/term_tree.h"

enum { LEAVES = 130 };

static void roots_are_those_of_the_standard(void **state)
{
    static const char *const texts[] = {"",
                                        "00",
                                        "10",
                                        "2021",
                                        "3031",
                                        "40414243",
                                        "5051525354555657",
                                        "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct term_hash leaves[8];
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        uint8_t bytes[16];
        size_t count = strlen(texts[i]) / 2;
        assert_true(term_hex_read(proto_span_text(texts[i]), bytes, count));
        leaves[i] = term_tree_leaf((struct proto_span){bytes, count});
    }
    for (size_t count = 0; count <= 8; count++) {
        char hex[TERM_HASH_HEX + 1];
        struct term_hash root = term_tree_root(leaves, count);
        term_hex_print(root.bytes, sizeof root.bytes, hex);
        assert_string_equal(hex, roots[count]);
    }
}

static void leaves_make(struct term_hash leaves[LEAVES])
{
    for (size_t i = 0; i < LEAVES; i++) {
        char text[16];
        snprintf(text, sizeof text, "account %zu", i);
        leaves[i] = term_tree_leaf(proto_span_text(text));
    }
}

static void each_leaf_is_proved_by_the_height_of_the_tree(void **state)
{
    struct term_hash leaves[LEAVES];
    struct term_proof proof;
    (void)state;
    leaves_make(leaves);
    for (size_t count = 1; count <= LEAVES; count++) {
        struct term_hash root = term_tree_root(leaves, count);
        for (size_t i = 0; i < count; i++) {
            term_tree_prove(leaves, count, i, &proof);
            assert_true(proof.count <= 8);
            assert_true(term_tree_check(&leaves[i], &proof, &root));
        }
    }
    static struct term_hash many[10000];
    for (size_t i = 0; i < 10000; i++) {
        many[i] = leaves[i % LEAVES];
    }
    term_tree_prove(many, 10000, 4711, &proof);
    assert_int_equal(proof.count, 14);
}

static void another_leaf_place_path_or_root_proves_nothing(void **state)
{
    struct term_hash leaves[LEAVES];
    struct term_proof proof;
    (void)state;
    leaves_make(leaves);
    for (size_t count = 2; count <= 40; count++) {
        struct term_hash root = term_tree_root(leaves, count);
        size_t index = (count * 7) % count;
        term_tree_prove(leaves, count, index, &proof);
        assert_false(term_tree_check(&leaves[count], &proof, &root));
        struct term_proof other = proof;
        other.index = count;
        assert_false(term_tree_check(&leaves[index], &other, &root));
        other = proof;
        other.count--;
        assert_false(term_tree_check(&leaves[index], &other, &root));
        other = proof;
        other.path[other.count++] = root;
        assert_false(term_tree_check(&leaves[index], &other, &root));
        other = proof;
        other.count = TERM_PROOF_MAX + 1;
        assert_false(term_tree_check(&leaves[index], &other, &root));
        for (size_t i = 0; i < proof.count; i++) {
            other = proof;
            other.path[i].bytes[i] ^= 1;
            assert_false(term_tree_check(&leaves[index], &other, &root));
        }
        root.bytes[31] ^= 0x80;
        assert_false(term_tree_check(&leaves[index], &proof, &root));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_the_standard),
        cmocka_unit_test(each_leaf_is_proved_by_the_height_of_the_tree),
        cmocka_unit_test(another_leaf_place_path_or_root_proves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
