/* SPDX-License-Identifier: Apache-2.0 */
/* Each check is a function of the facts: what it found in words, and how bad that is. */
#include "tools/cli/doctor.h"

#include <math.h>
#include <stdio.h>

#include "tools/cli/out/out_number.h"

typedef enum doctor_state (*judge)(const struct doctor_facts *facts, char *found, size_t bytes);

#define SAY(...) (void)snprintf(found, bytes, __VA_ARGS__)

static enum doctor_state judge_damage(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%.0f damaged values found", facts->corrupt_found);
    return facts->corrupt_found > 0 ? DOCTOR_BAD : DOCTOR_GOOD;
}

static enum doctor_state judge_map(const struct doctor_facts *facts, char *found, size_t bytes)
{
    char used[OUT_NUMBER_BYTES];
    char all[OUT_NUMBER_BYTES];
    double share = facts->map_bytes > 0 ? facts->file_bytes / facts->map_bytes : 0;
    SAY("%s of %s (%.0f %%)", out_size(facts->file_bytes, used), out_size(facts->map_bytes, all),
        100 * share);
    return share > 0.95 ? DOCTOR_BAD : share > 0.8 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_readers(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%.0f views open, %.0f of dead processes cleared", facts->readers, facts->readers_cleared);
    return facts->readers_cleared > 0 || facts->readers > 500 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_disk(const struct doctor_facts *facts, char *found, size_t bytes)
{
    char text[OUT_NUMBER_BYTES];
    if (isnan(facts->disk_free_bytes)) {
        return DOCTOR_UNKNOWN;
    }
    SAY("%s free where the data are", out_size(facts->disk_free_bytes, text));
    bool bad = facts->disk_free_bytes < 256e6;
    return bad ? DOCTOR_BAD
           : facts->disk_free_bytes < 2e9 || facts->disk_free_bytes < facts->file_bytes
               ? DOCTOR_LOOK
               : DOCTOR_GOOD;
}

static enum doctor_state judge_commit(const struct doctor_facts *facts, char *found, size_t bytes)
{
    char text[OUT_NUMBER_BYTES];
    SAY("the longest commit took %s", out_duration(facts->commit_ns_max / 1e3, text));
    return facts->commit_ns_max > 5e9   ? DOCTOR_BAD
           : facts->commit_ns_max > 1e9 ? DOCTOR_LOOK
                                        : DOCTOR_GOOD;
}

static enum doctor_state judge_files(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%.0f accepts failed for want of descriptors", facts->accept_emfile);
    if (facts->accept_emfile > 0) {
        return DOCTOR_BAD;
    }
    if (isnan(facts->nofile_soft)) {
        return DOCTOR_GOOD;
    }
    SAY("%.0f allowed, %.0f connections open", facts->nofile_soft, facts->connections_open);
    return facts->nofile_soft < 1024 || facts->connections_open > 0.8 * facts->nofile_soft
               ? DOCTOR_LOOK
               : DOCTOR_GOOD;
}

static enum doctor_state judge_refused(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%.0f connections refused", facts->connections_refused);
    return facts->connections_refused > 0 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_slow(const struct doctor_facts *facts, char *found, size_t bytes)
{
    double share = facts->requests > 0 ? facts->requests_slow / facts->requests : 0;
    SAY("%.0f of %.0f requests", facts->requests_slow, facts->requests);
    return share > 0.01 && facts->requests > 1000 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_index(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%s", facts->index_ready > 0 ? "ids and keys are in memory" : "still being filled");
    return facts->index_ready > 0 ? DOCTOR_GOOD : DOCTOR_LOOK;
}

static enum doctor_state judge_rows(const struct doctor_facts *facts, char *found, size_t bytes)
{
    SAY("%.0f of %.0f rows encoded for the active version", facts->rows_done, facts->rows_total);
    return facts->rows_done < facts->rows_total ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_profile(const struct doctor_facts *facts, char *found, size_t bytes)
{
    if (facts->schema == 0) {
        SAY("no schema has been put");
    } else if (facts->icp == 0) {
        SAY("%.0f accounts, no ICP version is active", facts->accounts);
    } else {
        SAY("%.0f accounts, schema %.0f, ICP version %.0f", facts->accounts, facts->schema,
            facts->icp);
    }
    return facts->schema == 0 || facts->icp == 0 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_way(const struct doctor_facts *facts, char *found, size_t bytes)
{
    char text[OUT_NUMBER_BYTES];
    SAY("a round trip takes %s", out_duration(facts->round_trip_us, text));
    return facts->round_trip_us > 20000 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_clock(const struct doctor_facts *facts, char *found, size_t bytes)
{
    double apart = fabs(facts->clock_apart_ms);
    char text[OUT_NUMBER_BYTES];
    SAY("%s apart from this one%s", out_duration(apart * 1e3, text),
        facts->clock_synchronised == 0 ? ", and not kept by a time server" : "");
    return apart > 60000                                    ? DOCTOR_BAD
           : apart > 2000 || facts->clock_synchronised == 0 ? DOCTOR_LOOK
                                                            : DOCTOR_GOOD;
}

static enum doctor_state judge_pages(const struct doctor_facts *facts, char *found, size_t bytes)
{
    if (isnan(facts->huge_pages_never)) {
        return DOCTOR_UNKNOWN;
    }
    SAY("%s",
        facts->huge_pages_never > 0 ? "the kernel gives none" : "given where they are asked for");
    return facts->huge_pages_never > 0 && facts->accounts > 100000 ? DOCTOR_LOOK : DOCTOR_GOOD;
}

static enum doctor_state judge_memory(const struct doctor_facts *facts, char *found, size_t bytes)
{
    char available[OUT_NUMBER_BYTES];
    char file[OUT_NUMBER_BYTES];
    if (isnan(facts->memory_available_bytes)) {
        return DOCTOR_UNKNOWN;
    }
    SAY("%s available, the store has %s", out_size(facts->memory_available_bytes, available),
        out_size(facts->file_bytes, file));
    return facts->memory_available_bytes < 128e6               ? DOCTOR_BAD
           : facts->memory_available_bytes < facts->file_bytes ? DOCTOR_LOOK
                                                               : DOCTOR_GOOD;
}

static const struct {
    const char *name;
    judge judge;
    const char *remedy;
} checks[] = {
    {"damage", judge_damage,
     "stop writing, keep the data directory, restore the last good backup (docs/operating.md)"},
    {"profile", judge_profile, "'icp schema put', 'icp import', then 'icp learn --activate'"},
    {"index", judge_index, "wait: look-ups go through the file meanwhile, slower but right"},
    {"rows", judge_rows, "wait: scores are right meanwhile, filters read more"},
    {"map", judge_map, "start icpd with a larger --map-bytes; it is address space, not memory"},
    {"disk", judge_disk,
     "free space where the data are, or move them; writes fail when it is full"},
    {"commits", judge_commit, "the disk is slow or shared; see 'commit' in icp stats --csv"},
    {"readers", judge_readers,
     "processes that had the store open died; look for other programs on it"},
    {"memory", judge_memory,
     "more memory, or fewer other programs: what does not fit is read from disk"},
    {"descriptors", judge_files,
     "raise LimitNOFILE of the unit, or ulimit -n, and start icpd anew"},
    {"connections", judge_refused, "raise --connections-max, or let clients share connections"},
    {"slow", judge_slow, "'icp stats' says which operation; icpd's log has a line for each"},
    {"way", judge_way, "use the Unix socket (--socket-path) or a nearer machine"},
    {"clock", judge_clock,
     "let chrony or systemd-timesyncd keep the clock: stored times come from it"},
    {"huge pages", judge_pages,
     "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, then start icpd anew"},
};

size_t doctor_judge(const struct doctor_facts *facts,
                    struct doctor_finding findings[DOCTOR_FINDINGS_MAX])
{
    size_t count = sizeof checks / sizeof *checks;
    for (size_t i = 0; i < count; i++) {
        struct doctor_finding *finding = &findings[i];
        *finding = (struct doctor_finding){.check = checks[i].name, .remedy = ""};
        finding->state = checks[i].judge(facts, finding->found, sizeof finding->found);
        if (finding->state == DOCTOR_UNKNOWN) {
            (void)snprintf(finding->found, sizeof finding->found, "cannot be seen from here");
        } else if (finding->state != DOCTOR_GOOD) {
            finding->remedy = checks[i].remedy;
        }
    }
    return count;
}
