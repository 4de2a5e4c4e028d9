/* SPDX-License-Identifier: Apache-2.0 */
/* Damages one file of a store at a time and looks at what the store then says, and what a repair
 * makes of it: a bit is flipped, or
 * a sector or page holds zeros, noise, or what it held earlier. Usage: damage_run [FLIPS [SECTORS
 * [SEED]]]; 400 and 100 without, 10,000 and 3,000 with ICP_LONG=1.
 *
 * Nothing may be answered wrong, end the process, refuse what is sound, or be refused without the
 * scrub finding it. Controls: the undamaged store must be right in everything; a timeline that is
 * short of an event, and damage whose checksums were made right again, must be seen as wrong. A
 * sector that holds what it held earlier and is an intact older copy of the same entries is a limit
 * that is said (disk-format.md): it is counted by itself. */
#include "tests/damage/damage_argument.h"
#include "tests/damage/damage_world.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECTOR_BYTES = 512, CONTROLS = 12 };
enum damage_kind { KIND_FLIP, KIND_ZERO, KIND_NOISE, KIND_STALE, KIND_COUNT };

struct run {
    struct world world;
    uint64_t seed;
    long counts[KIND_COUNT][DAMAGE_OUTCOMES];
    long repairs[REPAIR_OUTCOMES];
};

static const char *const kind_names[] = {"flips", "zeros", "noise", "stale"};
static const char *const outcome_names[] = {
    "no effect", "refused in part", "refused whole", "WRONG", "POISONED", "UNNOTICED", "CRASHED"};

static uint64_t draw(struct run *run, uint64_t below)
{
    run->seed = run->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (run->seed >> 24) % below;
}

/* Seven of ten in the tables, the rest in the log, and a few in the witness. */
static struct world_file *file_draw(struct run *run)
{
    struct world *world = &run->world;
    uint64_t die = draw(run, 100);
    if (die < 70) {
        return world_find(world, "data.mdb");
    }
    if (die < 73) {
        return world_find(world, "store.check");
    }
    size_t first = 2; /* in the order in which they were kept */
    return &world->files[first + draw(run, world->file_count - first)];
}

static void tell(const struct run *run, enum damage_kind kind, const struct world_file *file,
                 size_t at, size_t count, enum damage_outcome outcome)
{
    (void)run;
    printf("%s: %s of %zu bytes at byte %zu (page %zu) of %s\n", outcome_names[outcome],
           kind_names[kind], count, at, at / DISK_PAGE_BYTES, file->name);
    fflush(stdout);
}

static void damage_one(struct run *run, enum damage_kind kind)
{
    struct world_file *file = file_draw(run);
    uint8_t before[DISK_PAGE_BYTES];
    size_t count = kind == KIND_FLIP ? 1 : draw(run, 2) == 0 ? SECTOR_BYTES : DISK_PAGE_BYTES;
    size_t at = draw(run, file->count);
    at -= at % count;
    if (at + count > file->count) {
        count = file->count - at;
    }
    memcpy(before, file->bytes + at, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *byte = &file->bytes[at + i];
        *byte = kind == KIND_FLIP    ? *byte ^ (uint8_t)(1U << draw(run, 8))
                : kind == KIND_ZERO  ? 0
                : kind == KIND_NOISE ? (uint8_t)draw(run, 256)
                                     : file->earlier[at + i];
    }
    enum damage_outcome outcome = DAMAGE_NONE;
    if (memcmp(before, file->bytes + at, count) != 0) {
        world_restore(&run->world);
        outcome = damage_look(&run->world);
    }
    if (outcome == DAMAGE_PART || outcome == DAMAGE_WHOLE) {
        enum repair_outcome repaired = damage_repair(&run->world);
        run->repairs[repaired]++;
        if (repaired == REPAIR_BAD) {
            printf("REPAIR: ");
            tell(run, kind, file, at, count, outcome);
        }
    }
    memcpy(file->bytes + at, before, count);
    run->counts[kind][outcome]++;
    if (outcome >= DAMAGE_WRONG) {
        tell(run, kind, file, at, count, outcome);
    }
}

/* Where the record of a slot lies in data.mdb. */
static bool record_find(struct run *run, uint32_t slot, size_t *at, size_t *count)
{
    struct proto_fault fault;
    struct disk_txn txn;
    struct proto_span value = {0};
    world_restore(&run->world);
    fixture_open(&run->world.fixture);
    const struct disk_env *env = &run->world.fixture.store->env;
    bool good = disk_txn_read(&txn, env, &fault);
    if (good) {
        good = disk_txn_get(&txn, DISK_TABLE_ACCOUNT, slot, &value, &fault) == DISK_GOT_ONE;
        *at = good ? (size_t)(value.data - env->map) : 0;
        *count = value.bytes;
        disk_txn_abort(&txn);
    }
    run->world.fixture.store->tuning.abandon = true;
    fixture_close(&run->world.fixture);
    return good;
}

/* A bit of an account flips, and its checksums are made right: as if nobody looked at them. */
static bool control_caught(struct run *run, uint32_t slot)
{
    size_t at;
    size_t count;
    struct world_file *data = world_find(&run->world, "data.mdb");
    uint8_t before[DISK_PAGE_BYTES];
    if (!record_find(run, slot, &at, &count) || count > sizeof before) {
        return false;
    }
    uint8_t *value = data->bytes + at;
    memcpy(before, value, count);
    uint8_t *text = memmem(value, count, "some category", 13);
    if (text == NULL) {
        return false;
    }
    text[3] ^= 4;
    disk_set_u64(value + 16 + 8, XXH3_64bits(value + 16 + 16, disk_get_u32(value + 12) - 16));
    disk_set_u64(value, disk_check(DISK_TABLE_ACCOUNT, slot, value + 8, count - 8));
    world_restore(&run->world);
    enum damage_outcome outcome = damage_look(&run->world);
    memcpy(value, before, count);
    return outcome == DAMAGE_WRONG;
}

static bool controls(struct run *run)
{
    unsigned caught = 0;
    world_restore(&run->world);
    enum damage_outcome outcome = damage_look(&run->world);
    if (outcome != DAMAGE_NONE) {
        printf("the undamaged store: %s\n", outcome_names[outcome]);
        return false;
    }
    run->world.events[1]++; /* as if the store had lost one that was told */
    world_restore(&run->world);
    outcome = damage_look(&run->world);
    run->world.events[1]--;
    if (outcome != DAMAGE_WRONG) {
        printf("a timeline without its last event: %s\n", outcome_names[outcome]);
        return false;
    }
    run->world.pasts[0].numbers[0]++; /* as if it had been something else */
    world_restore(&run->world);
    outcome = damage_look(&run->world);
    run->world.pasts[0].numbers[0]--;
    if (outcome != DAMAGE_WRONG) {
        printf("a history with another number: %s\n", outcome_names[outcome]);
        return false;
    }
    for (uint32_t i = 0; i < CONTROLS; i++) {
        uint32_t slot = 1 + i * 12; /* neither deleted nor in the overlay, most of them */
        caught += !run->world.deleted[slot] && control_caught(run, slot);
    }
    printf("control: checksums made right over damage, %u of %d seen as wrong\n", caught, CONTROLS);
    return caught * 2 >= CONTROLS;
}

static bool report(const struct run *run)
{
    long bad = 0;
    for (size_t kind = 0; kind < KIND_COUNT; kind++) {
        printf("%s:", kind_names[kind]);
        for (size_t i = 0; i < DAMAGE_OUTCOMES; i++) {
            printf(" %ld %s%s", run->counts[kind][i], outcome_names[i],
                   i + 1 < DAMAGE_OUTCOMES ? "," : "\n");
            /* An older copy of the same entries in their place, whole, is a limit that is said. */
            bool limit = kind == KIND_STALE && i == DAMAGE_WRONG;
            bad += i >= DAMAGE_WRONG && !limit ? run->counts[kind][i] : 0;
        }
    }
    printf("repairs: %ld nothing given up, %ld something, %ld impossible, %ld BAD\n",
           run->repairs[REPAIR_WHOLE], run->repairs[REPAIR_PART], run->repairs[REPAIR_NONE],
           run->repairs[REPAIR_BAD]);
    return bad + run->repairs[REPAIR_BAD] == 0;
}

int main(int argc, char **argv)
{
    static struct run run;
    long flips = damage_argument(argc, argv, 1, 400, 10000);
    long sectors = damage_argument(argc, argv, 2, 100, 3000);
    run.seed = (uint64_t)damage_argument(argc, argv, 3, 20, 20);
    printf("seed %llu\n", (unsigned long long)run.seed);
    world_make(&run.world);
    bool good = controls(&run);
    for (long i = 0; good && i < flips; i++) {
        damage_one(&run, KIND_FLIP);
    }
    for (long i = 0; good && i < sectors; i++) {
        damage_one(&run, (enum damage_kind)(KIND_ZERO + i % 3));
    }
    good = report(&run) && good;
    world_free(&run.world);
    return good ? 0 : 1;
}
