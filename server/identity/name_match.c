/* SPDX-License-Identifier: Apache-2.0 */
/* Rows are normalised as they come. The first pass over the accounts counts words; then each row
 * knows which of its words are rare, and stands in the block under those. The second pass looks
 * each account's words up there, and compares it with the rows that it meets. Nothing fails on the
 * way but memory, before the second pass. */
#include "server/identity/name_match.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/identity/name_block.h"
#include "server/identity/name_like.h"

enum space { SPACE_WORD = 1, SPACE_ALIKE, SPACE_WHOLE, SPACE_COUNTRY };

#define ALIKE_MIN 0.9 /* Jaro-Winkler of two words that count as one */
#define ALIKE_BYTES_MIN 4
#define WHOLE_PART 0.95 /* of the Jaro-Winkler of names in one word */
#define COUNTS_BITS_MIN 12
#define COUNTS_BITS_MAX 22

struct country {
    uint64_t key; /* 0: not known */
    size_t bytes;
};

struct row {
    struct identity_name name;
    uint64_t keys[IDENTITY_NAME_TOKENS];
    double weights[IDENTITY_NAME_TOKENS];
    struct country country;
    uint32_t seen; /* 1 + the slot of the account that it was compared with last */
    uint8_t found;
    bool common;
};

/* An account on its way through the rows. */
struct account {
    uint32_t slot;
    const struct identity_name *name;
    uint64_t keys[IDENTITY_NAME_TOKENS];
    double weights[IDENTITY_NAME_TOKENS];
    struct country country;
    char joined[IDENTITY_NAME_BYTES];
    size_t joined_bytes;
    bool weighed;
};

struct identity_matcher {
    struct row *rows;
    size_t row_count;
    size_t row_capacity;
    struct identity_candidate *found; /* keep of each row */
    unsigned show;
    unsigned keep; /* one more, to know whether a name is another's too */
    uint32_t *counts[2];
    unsigned counts_bits;
    size_t accounts;
    struct identity_block block;
};

static void country_read(struct proto_span text, struct country *country)
{
    uint8_t lower[64];
    struct proto_span plain = feature_text_trim(text);
    *country = (struct country){0};
    if (plain.bytes == 0 || plain.bytes > sizeof lower) {
        return;
    }
    for (size_t i = 0; i < plain.bytes; i++) {
        lower[i] = feature_text_lower(plain.data[i]);
    }
    country->bytes = plain.bytes;
    country->key = identity_block_key((struct proto_span){lower, plain.bytes}, SPACE_COUNTRY) | 1;
}

/* A code against a name says nothing. */
static bool countries_differ(const struct country *a, const struct country *b)
{
    return a->key != 0 && b->key != 0 && a->key != b->key && (a->bytes <= 3) == (b->bytes <= 3);
}

struct identity_matcher *identity_matcher_create(size_t accounts, size_t rows, unsigned candidates,
                                                 struct proto_fault *fault)
{
    struct identity_matcher *matcher = calloc(1, sizeof *matcher);
    unsigned bits = COUNTS_BITS_MIN;
    while (bits < COUNTS_BITS_MAX && ((size_t)1 << bits) < accounts * 4) {
        bits++;
    }
    if (matcher != NULL) {
        matcher->row_capacity = rows;
        matcher->show = candidates;
        matcher->keep = candidates + 1;
        matcher->counts_bits = bits;
        matcher->rows = calloc(rows + 1, sizeof *matcher->rows);
        matcher->found = calloc((rows + 1) * matcher->keep, sizeof *matcher->found);
        for (size_t i = 0; i < 2; i++) {
            matcher->counts[i] = calloc((size_t)1 << bits, sizeof *matcher->counts[i]);
        }
    }
    if (matcher == NULL || matcher->rows == NULL || matcher->found == NULL ||
        matcher->counts[0] == NULL || matcher->counts[1] == NULL) {
        identity_matcher_destroy(matcher);
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to match %zu names", rows);
        return NULL;
    }
    return matcher;
}

void identity_matcher_destroy(struct identity_matcher *matcher)
{
    if (matcher == NULL) {
        return;
    }
    identity_block_fini(&matcher->block);
    free(matcher->rows);
    free(matcher->found);
    free(matcher->counts[0]);
    free(matcher->counts[1]);
    free(matcher);
}

static void keys_fill(const struct identity_name *name, uint64_t keys[IDENTITY_NAME_TOKENS])
{
    for (size_t i = 0; i < name->token_count; i++) {
        keys[i] = identity_block_key(identity_name_token(name, i), SPACE_WORD);
    }
}

void identity_matcher_row(struct identity_matcher *matcher, struct proto_span name,
                          struct proto_span country)
{
    if (matcher->row_count == matcher->row_capacity) {
        return;
    }
    struct row *row = &matcher->rows[matcher->row_count++];
    if (!identity_name_normal(name, &row->name)) {
        row->name.token_count = 0;
    }
    keys_fill(&row->name, row->keys);
    country_read(country, &row->country);
}

/* Where a word is counted: two independent places. */
static size_t place_of(const struct identity_matcher *matcher, uint64_t key, size_t table)
{
    uint64_t mixed = table == 0 ? key : key * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mixed >> (64 - matcher->counts_bits));
}

static uint32_t count_of(const struct identity_matcher *matcher, uint64_t key)
{
    uint32_t a = matcher->counts[0][place_of(matcher, key, 0)];
    uint32_t b = matcher->counts[1][place_of(matcher, key, 1)];
    return a < b ? a : b;
}

static bool key_repeats(const uint64_t *keys, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (keys[i] == keys[at]) {
            return true;
        }
    }
    return false;
}

void identity_matcher_count(struct identity_matcher *matcher, const struct identity_name *account)
{
    uint64_t keys[IDENTITY_NAME_TOKENS];
    keys_fill(account, keys);
    matcher->accounts++;
    for (size_t i = 0; i < account->token_count; i++) {
        if (!key_repeats(keys, i)) {
            matcher->counts[0][place_of(matcher, keys[i], 0)]++;
            matcher->counts[1][place_of(matcher, keys[i], 1)]++;
        }
    }
}

static double weight_of(const struct identity_matcher *matcher, uint64_t key)
{
    double others = (double)count_of(matcher, key) + 1;
    return 1 + log(((double)matcher->accounts + 1) / others);
}

static void variants_add(struct identity_matcher *matcher, struct proto_span text, enum space space,
                         uint32_t row)
{
    uint64_t keys[IDENTITY_VARIANTS_MAX];
    size_t count = identity_block_variants(text, space, keys);
    for (size_t i = 0; i < count; i++) {
        identity_block_add(&matcher->block, keys[i], row);
    }
}

/* Whether the word is rare enough to look for, beside those that are rarer still. */
static bool word_blocks(const struct identity_matcher *matcher, const struct row *row, size_t word)
{
    uint64_t own = count_of(matcher, row->keys[word]);
    uint64_t with_rarer = own;
    bool rarest = true;
    for (size_t i = 0; i < row->name.token_count; i++) {
        uint64_t other = count_of(matcher, row->keys[i]);
        bool before = other < own || (other == own && i < word);
        with_rarer += before ? other : 0;
        rarest &= !before;
    }
    return with_rarer <= IDENTITY_BLOCK_ACCOUNTS || (rarest && own <= 10 * IDENTITY_BLOCK_ACCOUNTS);
}

static void row_index(struct identity_matcher *matcher, uint32_t index)
{
    struct row *row = &matcher->rows[index];
    char joined[IDENTITY_NAME_BYTES];
    bool any = false;
    for (size_t i = 0; i < row->name.token_count; i++) {
        row->weights[i] = weight_of(matcher, row->keys[i]);
        if (word_blocks(matcher, row, i)) {
            any = true;
            identity_block_add(&matcher->block, row->keys[i], index);
            variants_add(matcher, identity_name_token(&row->name, i), SPACE_ALIKE, index);
        }
    }
    row->common = !any && row->name.token_count > 0;
    if (row->name.token_count > 0) {
        size_t bytes = identity_name_joined(&row->name, joined);
        variants_add(matcher, (struct proto_span){(const uint8_t *)joined, bytes}, SPACE_WHOLE,
                     index);
    }
}

bool identity_matcher_index(struct identity_matcher *matcher, struct proto_fault *fault)
{
    for (size_t i = 0; i < matcher->row_count; i++) {
        row_index(matcher, (uint32_t)i);
    }
    return identity_block_sort(&matcher->block) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to match %zu names",
                           matcher->row_count);
}

/* Pairs of words of a row and an account: which word of the account each of the row has, and how
 * like they are. */
struct pairs {
    int of[IDENTITY_NAME_TOKENS];
    double like[IDENTITY_NAME_TOKENS];
    bool taken[IDENTITY_NAME_TOKENS];
};

static void pairs_equal(const struct row *row, const struct account *account, struct pairs *pairs,
                        struct identity_candidate *candidate)
{
    for (size_t i = 0; i < row->name.token_count; i++) {
        pairs->of[i] = -1;
        pairs->like[i] = 0;
        for (size_t j = 0; j < account->name->token_count && pairs->of[i] < 0; j++) {
            if (!pairs->taken[j] && row->keys[i] == account->keys[j]) {
                pairs->of[i] = (int)j;
                pairs->like[i] = 1;
                pairs->taken[j] = true;
                candidate->shared++;
            }
        }
    }
}

static void pairs_alike(const struct row *row, const struct account *account, struct pairs *pairs,
                        struct identity_candidate *candidate)
{
    for (size_t i = 0; i < row->name.token_count; i++) {
        struct proto_span word = identity_name_token(&row->name, i);
        if (pairs->of[i] >= 0 || word.bytes < ALIKE_BYTES_MIN) {
            continue;
        }
        for (size_t j = 0; j < account->name->token_count; j++) {
            struct proto_span other = identity_name_token(account->name, j);
            /* Beyond this the letters in common are too few. */
            bool near = other.bytes >= ALIKE_BYTES_MIN && other.bytes * 2 >= word.bytes &&
                        word.bytes * 2 >= other.bytes;
            double like = near && !pairs->taken[j] ? identity_jaro_winkler(word, other) : 0;
            if (like >= ALIKE_MIN && like > pairs->like[i]) {
                pairs->of[i] = (int)j;
                pairs->like[i] = like;
            }
        }
        if (pairs->of[i] >= 0) {
            pairs->taken[pairs->of[i]] = true;
            candidate->alike++;
        }
    }
}

/* A word that is spelt otherwise weighs as the account's: that nobody else spells it so says
 * nothing. */
static double cosine(const struct row *row, const struct account *account,
                     const struct pairs *pairs)
{
    double dot = 0;
    double row_square = 0;
    double account_square = 0;
    for (size_t i = 0; i < row->name.token_count; i++) {
        double own = pairs->of[i] >= 0 ? account->weights[pairs->of[i]] : row->weights[i];
        row_square += own * own;
        dot += pairs->of[i] >= 0 ? own * own * pairs->like[i] : 0;
    }
    for (size_t j = 0; j < account->name->token_count; j++) {
        account_square += account->weights[j] * account->weights[j];
    }
    return dot / sqrt(row_square * account_square);
}

static double score_of(const struct row *row, const struct account *account,
                       struct identity_candidate *candidate)
{
    struct pairs pairs = {.taken = {false}};
    char joined[IDENTITY_NAME_BYTES];
    size_t words = row->name.token_count;
    size_t others = account->name->token_count;
    pairs_equal(row, account, &pairs, candidate);
    if (candidate->shared == words && words == others) {
        return 1;
    }
    pairs_alike(row, account, &pairs, candidate);
    size_t paired = (size_t)candidate->shared + candidate->alike;
    candidate->more = (uint8_t)(words + others - 2 * paired);
    struct proto_span one = {(const uint8_t *)joined, identity_name_joined(&row->name, joined)};
    struct proto_span other = {(const uint8_t *)account->joined, account->joined_bytes};
    if (proto_span_equal(one, other)) {
        candidate->one_word = true;
        return 1;
    }
    double score = cosine(row, account, &pairs);
    bool near = one.bytes * 4 >= other.bytes * 3 && other.bytes * 4 >= one.bytes * 3;
    double whole = near && score < WHOLE_PART ? WHOLE_PART * identity_jaro_winkler(one, other) : 0;
    score = whole > score && whole >= WHOLE_PART * ALIKE_MIN ? whole : score;
    return fmin(score, 0.9999); /* only what is equal has 1 */
}

/* What decides between candidates that score alike. */
static double order_of(const struct identity_candidate *candidate)
{
    return (double)candidate->score + 0.01 * candidate->country_same -
           0.05 * candidate->country_differs - 0.02 * candidate->form_differs;
}

static void candidate_keep(struct identity_matcher *matcher, size_t index,
                           const struct identity_candidate *candidate)
{
    struct row *row = &matcher->rows[index];
    struct identity_candidate *list = matcher->found + index * matcher->keep;
    size_t at = row->found;
    while (at > 0 && order_of(&list[at - 1]) < order_of(candidate)) {
        at--; /* equal ones stay before: their slots are lower */
    }
    if (at == matcher->keep) {
        return;
    }
    if (row->found < matcher->keep) {
        row->found++;
    }
    memmove(list + at + 1, list + at, (row->found - at - 1U) * sizeof *list);
    list[at] = *candidate;
}

static void compare(struct identity_matcher *matcher, size_t index, struct account *account)
{
    struct row *row = &matcher->rows[index];
    struct identity_candidate candidate = {
        .slot = account->slot, .form_row = row->name.form, .form_account = account->name->form};
    if (row->seen == account->slot + 1) {
        return;
    }
    row->seen = account->slot + 1;
    for (size_t i = 0; !account->weighed && i < account->name->token_count; i++) {
        account->weights[i] = weight_of(matcher, account->keys[i]);
    }
    account->weighed = true;
    candidate.score = (float)score_of(row, account, &candidate);
    if (candidate.score < (float)IDENTITY_MAYBE_MIN) {
        return;
    }
    const char *form = account->name->form;
    candidate.form_differs =
        row->name.form != NULL && form != NULL && strcmp(row->name.form, form) != 0;
    candidate.country_differs = countries_differ(&row->country, &account->country);
    candidate.country_same = row->country.key != 0 && row->country.key == account->country.key;
    candidate_keep(matcher, index, &candidate);
}

static void key_offer(struct identity_matcher *matcher, uint64_t key, struct account *account)
{
    size_t at = 0;
    size_t end = identity_block_find(&matcher->block, key, &at);
    for (; at < end; at++) {
        compare(matcher, matcher->block.entries[at].row, account);
    }
}

static void variants_offer(struct identity_matcher *matcher, struct proto_span text,
                           enum space space, struct account *account)
{
    uint64_t keys[IDENTITY_VARIANTS_MAX];
    size_t count = identity_block_variants(text, space, keys);
    for (size_t i = 0; i < count; i++) {
        key_offer(matcher, keys[i], account);
    }
}

void identity_matcher_offer(struct identity_matcher *matcher, uint32_t slot,
                            const struct identity_name *name, struct proto_span country)
{
    struct account account = {.slot = slot, .name = name};
    keys_fill(name, account.keys);
    country_read(country, &account.country);
    account.joined_bytes = identity_name_joined(name, account.joined);
    for (size_t i = 0; i < name->token_count; i++) {
        key_offer(matcher, account.keys[i], &account);
        variants_offer(matcher, identity_name_token(name, i), SPACE_ALIKE, &account);
    }
    variants_offer(matcher,
                   (struct proto_span){(const uint8_t *)account.joined, account.joined_bytes},
                   SPACE_WHOLE, &account);
}

void identity_matcher_end(struct identity_matcher *matcher)
{
    for (size_t i = 0; i < matcher->row_count; i++) {
        struct identity_candidate *list = matcher->found + i * matcher->keep;
        size_t called_so = 0;
        for (size_t c = 0; c < matcher->rows[i].found; c++) {
            called_so += list[c].score >= 1;
        }
        for (size_t c = 0; c < matcher->rows[i].found; c++) {
            list[c].shared_name = called_so > 1 && list[c].score >= 1;
        }
    }
}

const struct identity_candidate *identity_matcher_found(const struct identity_matcher *matcher,
                                                        size_t row, size_t *count, bool *common)
{
    size_t found = matcher->rows[row].found;
    *count = found < matcher->show ? found : matcher->show;
    *common = matcher->rows[row].common;
    return matcher->found + row * matcher->keep;
}

enum identity_match identity_candidate_match(const struct identity_candidate *candidate)
{
    return candidate->score >= 1 && !candidate->form_differs && !candidate->country_differs &&
                   !candidate->shared_name
               ? IDENTITY_MATCH_SAME
               : IDENTITY_MATCH_MAYBE;
}

static void why_add(char out[IDENTITY_WHY_BYTES], const char *text)
{
    size_t used = strlen(out);
    (void)snprintf(out + used, IDENTITY_WHY_BYTES - used, "%s%s", used > 0 ? "; " : "", text);
}

const char *identity_candidate_why(const struct identity_candidate *candidate,
                                   char out[IDENTITY_WHY_BYTES])
{
    char part[128];
    out[0] = '\0';
    if (candidate->score >= 1) {
        why_add(out, candidate->one_word ? "the same in one word" : "the same words");
    } else {
        (void)snprintf(part, sizeof part, "%d words the same, %d alike, %d on one side only",
                       candidate->shared, candidate->alike, candidate->more);
        why_add(out, part);
    }
    if (candidate->form_differs) {
        (void)snprintf(part, sizeof part, "legal forms differ (%s, %s)", candidate->form_row,
                       candidate->form_account);
        for (char *at = part; *at != '\0'; at++) {
            *at = (char)tolower((unsigned char)*at);
        }
        why_add(out, part);
    }
    if (candidate->country_differs) {
        why_add(out, "other country");
    } else if (candidate->country_same) {
        why_add(out, "same country");
    }
    if (candidate->shared_name) {
        why_add(out, "several accounts are called so");
    }
    return out;
}
