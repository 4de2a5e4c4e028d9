/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts a list of names may mean. Names go in as rows; every account is shown twice, first
 * to be counted, then to be compared; what is left for each row are its best candidates, with a
 * score and the reasons. A candidate is a proposal for a person: no score links anything.
 *
 *     m = identity_matcher_create(accounts, rows, 3, &fault);
 *     identity_matcher_row(m, name, country)            for each row
 *     identity_matcher_count(m, &normal)                for each account
 *     identity_matcher_index(m, &fault)
 *     identity_matcher_offer(m, slot, &normal, country) for each account, slots ascending
 *     identity_matcher_end(m); identity_matcher_found(m, row, &count)
 *
 * Score: soft TF-IDF (Cohen, Ravikumar, Fienberg 2003). A word's weight is 1 + ln((N+1)/(n+1)), n
 * accounts of N having it, so that rare words decide; two words that differ are one where
 * Jaro–Winkler is at least 0.9, and count by it. Σ over pairs of words w·w·jw / (|row| ·
 * |account|), 0 to 1. Names that are equal when written in one word ("Face Book") have 1; nearly
 * equal ones have 0.95 of their Jaro–Winkler, if that is more. SAME   the words are equal, and so
 * are legal form and country as far as both are known, and no other account is called so MAYBE
 * score of IDENTITY_MAYBE_MIN or more
 *
 * Blocking: an account is compared with a row if they share one of the row's rarer words (those
 * that together IDENTITY_BLOCK_ACCOUNTS accounts have; the rarest always, up to ten times as many),
 * or a word that is one from it but for one letter missing, too many, wrong, or swapped with its
 * neighbour; likewise for the names in one word. The two words' deletions by one letter are looked
 * up, so a wrong letter is found too. A name all of whose words are too common (`common`) is found
 * only by itself as a whole.
 *
 * Shapes: at most IDENTITY_MATCH_ROWS rows; memory grows with the rows, some 2 KB each, and by at
 * most 32 MiB for the counts of words, never with the accounts. Counts are kept in two tables of
 * hashes and never too small, so a word may seem less rare than it is. Ownership: the matcher
 * copies. Errors: PROTO_NO_MEMORY. Threads: one. Cost: some 3 µs an account, and 0.5 µs for each
 * account that is compared with a row. The same rows and accounts give the same candidates. */
#ifndef IDENTITY_NAME_MATCH_H
#define IDENTITY_NAME_MATCH_H

#include "proto/fault.h"
#include "server/identity/name.h"

#define IDENTITY_MATCH_ROWS 10000
#define IDENTITY_MATCH_CANDIDATES 10
#define IDENTITY_BLOCK_ACCOUNTS 2000
#define IDENTITY_MAYBE_MIN 0.7

enum identity_match { IDENTITY_MATCH_SAME, IDENTITY_MATCH_MAYBE };

struct identity_candidate {
    uint32_t slot;
    float score;
    uint8_t shared;        /* words of the row that the account has, spelt the same */
    uint8_t alike;         /* those that it has spelt otherwise */
    uint8_t more;          /* words of either that the other has not */
    bool one_word : 1;     /* equal when written in one word */
    bool form_differs : 1; /* two legal forms */
    bool country_differs : 1;
    bool country_same : 1;
    bool shared_name : 1; /* several accounts are called so */
    const char *form_row; /* legal forms, NULL if none */
    const char *form_account;
};

struct identity_matcher;

struct identity_matcher *identity_matcher_create(size_t accounts, size_t rows, unsigned candidates,
                                                 struct proto_fault *fault);
void identity_matcher_destroy(struct identity_matcher *matcher); /* NULL is fine */
/* Country: a text, compared without case; two letters against a longer text say nothing. A name
 * without letters gets no candidates. */
void identity_matcher_row(struct identity_matcher *matcher, struct proto_span name,
                          struct proto_span country);
void identity_matcher_count(struct identity_matcher *matcher, const struct identity_name *account);
bool identity_matcher_index(struct identity_matcher *matcher, struct proto_fault *fault);
void identity_matcher_offer(struct identity_matcher *matcher, uint32_t slot,
                            const struct identity_name *account, struct proto_span country);
void identity_matcher_end(struct identity_matcher *matcher);
/* Best first, ties by slot. *common as above. */
const struct identity_candidate *identity_matcher_found(const struct identity_matcher *matcher,
                                                        size_t row, size_t *count, bool *common);
enum identity_match identity_candidate_match(const struct identity_candidate *candidate);
/* Why, for people: "same words; legal forms differ (gmbh, ag)". Returns out. */
#define IDENTITY_WHY_BYTES 256
const char *identity_candidate_why(const struct identity_candidate *candidate,
                                   char out[IDENTITY_WHY_BYTES]);

#endif
