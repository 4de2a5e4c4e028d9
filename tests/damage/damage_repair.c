/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged store is repaired in a child: it must then open, a scrub must find nothing, every
 * account that was answered before must be answered the same, and a line must tell of everything
 * that is not there any more. Where batches of the log are given up, the accounts of those may be
 * as they were before. A survey beforehand must change no byte and count the same. */
#include "tests/damage/damage_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/repair.h"

enum { ABSENT = -1, REFUSED = -2, PATH_BYTES = 200 };

/* The number of an account: ABSENT, REFUSED, or what is stored. */
static double number_look(struct store_view *view, int i)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes;
    struct feature_record record;
    struct feature_value values[2];
    char id[32];
    world_text(id, "id", i);
    uint32_t slot = store_find_id(view, span(id), &fault);
    if (fault.code != PROTO_OK) {
        return REFUSED;
    }
    if (slot == STORE_NO_SLOT) {
        return ABSENT;
    }
    if (!store_record(view, slot, &bytes, &fault) ||
        !feature_record_open(bytes, true, &record, &fault)) {
        return REFUSED;
    }
    feature_record_values(&record, values, 2);
    return values[0].number;
}

/* Asks for all; false: the store does not open, or a view. */
static bool numbers_look(struct world *world, double numbers[WORLD_ACCOUNTS], uint64_t *bad)
{
    struct fixture *fixture = &world->fixture;
    struct proto_fault fault;
    fixture->change_count = 0;
    struct store *store = store_open_tuned(&fixture->options, &fixture->tuning, &fault);
    if (store == NULL) {
        return false;
    }
    *bad = store_scrub(store, NULL, NULL, &fault);
    struct store_view *view = store_view_open(store, &fault);
    for (int i = 0; view != NULL && i < WORLD_ACCOUNTS; i++) {
        numbers[i] = number_look(view, i);
    }
    bool good = view != NULL;
    store_view_close(view);
    store->tuning.abandon = true;
    store_close(store);
    return good;
}

static uint64_t lines_count(const struct world *world, const struct store_repaired *repaired)
{
    char path[PATH_BYTES];
    uint64_t lines = 0;
    snprintf(path, sizeof path, "%s/%s", world->fixture.path, repaired->rejects);
    FILE *file = repaired->rejects[0] == '\0' ? NULL : fopen(path, "r");
    for (int byte = 0; file != NULL && (byte = fgetc(file)) != EOF;) {
        lines += byte == '\n';
    }
    if (file != NULL) {
        fclose(file);
    }
    return lines;
}

static enum repair_outcome fail_with(const char *what)
{
    if (getenv("ICP_LOUD") != NULL) {
        fprintf(stderr, "repair: %s\n", what);
    }
    return REPAIR_BAD;
}

/* What must be after a repair. */
static enum repair_outcome judge(struct world *world, const double *before, bool opened,
                                 const struct store_repaired *repaired)
{
    double after[WORLD_ACCOUNTS];
    uint64_t bad = 0;
    uint64_t lost = 0;
    uint64_t counted = repaired->accounts_lost + repaired->documents_lost +
                       repaired->operations_lost + repaired->batches_lost +
                       repaired->timelines_lost + repaired->histories_lost;
    if (!numbers_look(world, after, &bad)) {
        return fail_with("the repaired store does not open");
    }
    if (bad > 0) {
        return fail_with("the scrub finds something in the repaired store");
    }
    for (int i = 0; i < WORLD_ACCOUNTS; i++) {
        double right = world->deleted[i] ? ABSENT : world->numbers[i];
        if (after[i] == REFUSED) {
            return fail_with("an account is refused by the repaired store");
        }
        if (opened && before[i] >= 0 && after[i] != before[i]) {
            return fail_with("an account that was answered has changed");
        }
        lost += after[i] != right;
    }
    if (lost > 0 && repaired->batches_lost == 0 && lost > repaired->accounts_lost) {
        return fail_with("more is gone than was told");
    }
    if ((counted > 0) != (lines_count(world, repaired) > 0)) {
        return fail_with("the rejects do not say what was given up");
    }
    return counted > 0 ? REPAIR_PART : REPAIR_WHOLE;
}

static enum repair_outcome repair_all(struct world *world)
{
    double before[WORLD_ACCOUNTS];
    uint64_t bad;
    struct store_repaired survey;
    struct store_repaired repaired;
    struct proto_fault fault;
    struct store_repair_options options = {.path = world->fixture.path,
                                           .map_bytes = world->fixture.options.map_bytes_max,
                                           .now_ms = world->fixture.options.now_ms,
                                           .now_context = world->fixture.options.now_context};
    bool opened = numbers_look(world, before, &bad);
    world_restore(world);
    if (!store_repair(&options, &survey, &fault)) {
        return opened ? fail_with("a store that opens cannot be repaired") : REPAIR_NONE;
    }
    if (survey.sound) {
        return opened ? REPAIR_WHOLE : fail_with("a store that does not open passes for sound");
    }
    options.apply = true;
    if (!store_repair(&options, &repaired, &fault)) {
        return fail_with(fault.message);
    }
    if (survey.accounts_lost != repaired.accounts_lost ||
        survey.documents_lost != repaired.documents_lost) {
        return fail_with("the survey said something else");
    }
    return judge(world, before, opened, &repaired);
}

enum repair_outcome damage_repair(struct world *world)
{
    world_restore(world);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit((int)repair_all(world));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) < REPAIR_BAD
               ? (enum repair_outcome)WEXITSTATUS(status)
               : REPAIR_BAD;
}
